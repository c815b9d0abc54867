"""
Tests for :mod:`sipsorcery.appserver.simulation.scene`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.simulation.backdrop import Void
from sipsorcery.appserver.simulation.scene import Scene
from sipsorcery.appserver.simulation.world import World
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.bindings import Binding
from sipsorcery.store.directory import Account, Dialplan, Language, Provider

T = TypeVar("T")

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make_account(username: str, owner: str = "joe") -> Account:
    """
    Make an account.
    """
    return Account(
        owner=owner, username=username, domain="example.com", created=NOW, updated=NOW
    )


def make_plan(script: str) -> Dialplan:
    """
    Make a dialplan.
    """
    return Dialplan(
        owner="joe",
        name="main",
        kind=Language.LINES,
        script=script,
        created=NOW,
        updated=NOW,
    )


class Service(Void):
    """
    A service with two accounts, a provider, a dialplan and some tables.
    """

    async def domain(self, host: str, *, wildcard: bool) -> str | None:
        """
        Find the one domain, by its alias, too.
        """
        return "example.com" if host in ("example.com", "alias.example") else None

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account.
        """
        known = username in ("100", "101") and domain == "example.com"
        return make_account(username) if known else None

    async def accounts(self, owner: str) -> Sequence[Account]:
        """
        Give both.
        """
        return [make_account("100"), make_account("101")]

    async def bindings(self, account: Account) -> Sequence[Binding]:
        """
        Give the binding of 101, which is over by the time of the simulation.
        """
        if account.username != "101":
            return ()
        contact = "sip:101@192.0.2.1:5062"
        return [Binding(contact=contact, expiry=5.0, call_id="a", cseq=1)]

    async def provider(self, owner: str, name: str) -> Provider | None:
        """
        Find the one provider.
        """
        if (owner, name.lower()) != ("joe", "trunk"):
            return None
        return Provider(
            owner="joe",
            name="trunk",
            username="42",
            server="sip:trunk.example:5070",
            created=NOW,
            updated=NOW,
        )

    async def plan(self, owner: str, name: str) -> Dialplan | None:
        """
        Find the one dialplan.
        """
        return make_plan("in force") if (owner, name) == ("joe", "main") else None

    async def setting(self, owner: str, name: str) -> Any:
        """
        Give the tables.
        """
        return {"speed_dials": {"1": "service"}} if name == "lookup" else None

    async def time_zone(self, owner: str) -> str:
        """
        Give that of the users.
        """
        return "Europe/Dublin"


class SceneCase(SynchronousTestCase):
    """
    A service and a world.
    """

    def scene(self, tried: Dialplan | None = None, **world: Any) -> Scene:
        """
        Make a scene long after the bindings of the service are over.
        """
        its = World(**world).checked()
        return Scene(its, Service(), make_account("100"), tried, lambda: 1e9)

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Run what does not wait.
        """
        result: T = self.successResultOf(Deferred.fromCoroutine(coroutine))
        return result


class AccountTests(SceneCase):
    def test_service(self) -> None:
        """
        What the world does not mention is as in the service.
        """
        scene = self.scene()
        self.assertEqual(self.now(scene.domain("alias.example")), "example.com")
        self.assertIsNone(self.now(scene.domain("far.example")))
        self.assertIsNotNone(self.now(scene.find("101", "example.com")))
        self.assertIsNone(self.now(scene.find("102", "example.com")))
        found = self.now(scene.find_called("trunk.101", "example.com"))
        self.assertEqual(found, make_account("101"))

    def test_world(self) -> None:
        """
        An account that the world names is as the world says, whatever the service says.
        """
        scene = self.scene(
            accounts={"SIP:101@Example.com": {"owner": "eve", "disabled": "gone"}}
        )
        account = self.now(scene.find("101", "example.com"))
        assert account is not None
        self.assertEqual((account.owner, account.disabled), ("eve", "gone"))

    def test_mentioned(self) -> None:
        """
        Who has bindings or something to do at a served domain is an account.
        """
        scene = self.scene(
            bindings={"103@other.example": []},
            legs={
                "102@example.com": "busy",
                "*@example.com": "busy",
                "104@other.example": "busy",
                "105@far.example": "busy",
            },
        )
        for address, is_there in (
            *(("102@example.com", True), ("103@other.example", True)),
            *(("104@other.example", True), ("105@far.example", False)),
            *(("106@example.com", False), ("*@example.com", False)),
        ):
            username, _, domain = address.partition("@")
            found = self.now(scene.find(username, domain))
            self.assertEqual(found is not None, is_there, address)
        self.assertEqual(self.now(scene.domain("other.example")), "other.example")

    def test_all(self) -> None:
        """
        A user has the accounts of both.
        """
        scene = self.scene(accounts={"102@example.com": {}})
        found = self.now(scene.all_accounts("joe"))
        self.assertEqual(sorted(each.username for each in found), ["100", "101", "102"])


class ContactTests(SceneCase):
    def contacts(self, scene: Scene, username: str) -> list[str]:
        """
        Give where an account is reached.
        """
        account = make_account(username)
        found = self.now(scene.lookup(account).contacts(account))
        return [str(each.uri) for each in found]

    def test_service(self) -> None:
        """
        The bindings of the service hold, whatever time it is in the simulation.
        """
        self.assertEqual(self.contacts(self.scene(), "101"), ["sip:101@192.0.2.1:5062"])
        self.assertEqual(self.contacts(self.scene(), "100"), [])

    def test_world(self) -> None:
        """
        Those of the world come in their place, even if there are none.
        """
        scene = self.scene(bindings={"101@example.com": ["sip:1@192.0.2.9"]})
        self.assertEqual(self.contacts(scene, "101"), ["sip:1@192.0.2.9"])
        scene = self.scene(bindings={"101@example.com": []})
        self.assertEqual(self.contacts(scene, "101"), [])

    def test_something_to_do(self) -> None:
        """
        Who has something to do is reached without a binding, and by one if there is.
        """
        scene = self.scene(legs={"*@example.com": "busy"})
        self.assertEqual(self.contacts(scene, "100"), ["sip:100@example.com"])
        self.assertEqual(self.contacts(scene, "101"), ["sip:101@192.0.2.1:5062"])

    def test_foreseen(self) -> None:
        """
        To tell whom a dial string is for, everybody can be reached.
        """
        account = make_account("100")
        lookup = self.scene().lookup(account, foresees=True)
        found = self.now(lookup.contacts(account))
        self.assertEqual([str(each.uri) for each in found], ["sip:100@example.com"])


class ConfiguredTests(SceneCase):
    def test_plans(self) -> None:
        """
        The dialplan that is tried comes first, then those of the world.
        """
        tried = make_plan("tried")
        plans = {"main": {"script": "world"}, "home": {"script": "world"}}
        for scene, name, script in (
            (self.scene(), "main", "in force"),
            (self.scene(plans=plans), "main", "world"),
            (self.scene(plans=plans), "home", "world"),
            (self.scene(tried, plans=plans), "MAIN", "tried"),
        ):
            plan = self.now(scene.plan("joe", name))
            assert plan is not None
            self.assertEqual(plan.script, script)
        self.assertIsNone(self.now(self.scene(tried, plans=plans).plan("eve", "main")))

    def test_settings(self) -> None:
        """
        Tables and the time zone are those of the world where it has some.
        """
        scene = self.scene()
        self.assertEqual(self.now(scene.time_zone("joe")), "Europe/Dublin")
        self.assertEqual(
            self.now(scene.setting("joe", "lookup")), {"speed_dials": {"1": "service"}}
        )
        tables = {"speed_dials": {"1": "world"}}
        scene = self.scene(time_zone="Asia/Tokyo", lookup=tables)
        self.assertEqual(self.now(scene.time_zone("joe")), "Asia/Tokyo")
        self.assertEqual(self.now(scene.time_zone("eve")), "Europe/Dublin")
        self.assertEqual(self.now(scene.setting("joe", "lookup")), tables)

    def test_provider(self) -> None:
        """
        What a provider does is said by its name or by its host, once it was looked up.
        """
        scene = self.scene(
            legs={"1@trunk": "busy", "2@trunk.example": "decline"},
            providers={"Other": "sip:other.example"},
        )
        self.assertIsNone(self.now(scene.provider("joe", "nobody")))
        other = self.now(scene.provider("joe", "other"))
        assert other is not None
        self.assertEqual(other.server, "sip:other.example")
        self.now(scene.provider("joe", "Trunk"))
        for user, status in (("1", 486), ("2", 603), ("3", 200)):
            uri = SIPURI("sip", user, "trunk.example", 5070)
            self.assertEqual(scene.behaviour_of(uri).status, status)
