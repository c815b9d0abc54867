"""
Prepare the demo of ``make run``: write its configuration and say how to use it.

The file is written once. After that it is yours to change.
"""

from __future__ import annotations

from pathlib import Path

from sipsorcery.transport.local import local_addresses

CONFIGURATION = Path("var/demo/sipsorcery.toml")

_TEXT = """\
# The configuration of "make run". Change what you like: it is not written again unless
# you remove it. etc/sipsorcery.toml shows every key with its default.

[server]
data_dir = "var/demo"

[sip]
domains = [{domains}]

[proxy]
listen = [
    "udp:0.0.0.0:5060", "tcp:0.0.0.0:5060", "tls:0.0.0.0:5061",
    "udp:[::]:5060", "tcp:[::]:5060", "tls:[::]:5061",
]
"""

_USE = """
This part of sipsorcery answers OPTIONS, over UDP, TCP and TLS, and nothing else yet.
Ask it from another terminal (sipsak is in Debian's package of that name):

    sipsak -v -s sip:localhost:5060

Its configuration is {configuration}; all that it writes is in {data}.
Ctrl-C ends it.
"""


def main() -> None:
    """
    Write what is missing and print what to do with the demo.
    """
    if not CONFIGURATION.exists():
        domains = ["localhost", *local_addresses()]
        quoted = ", ".join(f'"{domain}"' for domain in domains)
        CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
        CONFIGURATION.write_text(_TEXT.format(domains=quoted), "utf-8")
    print(_USE.format(configuration=CONFIGURATION, data=CONFIGURATION.parent))


if __name__ == "__main__":
    main()
