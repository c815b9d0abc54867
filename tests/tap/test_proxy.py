"""
Tests for the commands that have a service: `sipsorcery.tap.proxy` and
`sipsorcery.tap.sipsorcery`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.application.service import IService
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy.service import ProxyService
from sipsorcery.tap import proxy, sipsorcery
from sipsorcery.tap.main import MainService


class MakeServiceTests(SynchronousTestCase):
    """
    What a command runs.
    """

    def test_services(self) -> None:
        """
        Both run the proxy on the configuration that was named, and start nothing yet.
        """
        file = Path(self.mktemp())
        file.write_text("sip.domains = ['example.com']", "utf-8")
        for module in (proxy, sipsorcery):
            options = module.Options()
            options.parseOptions(["--config", str(file)])
            main = module.makeService(options)
            self.assertTrue(IService.providedBy(main))
            assert isinstance(main, MainService)
            (service,) = main.services
            assert isinstance(service, ProxyService)
            self.assertEqual(service.config, options.configuration)
            self.assertFalse(service.running)
