"""
Prepare the demo of ``make run``, and say how to use it.

The configuration, the users and their passwords are made once. After that they are
yours to change.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
import string
from pathlib import Path

from sipsorcery.cli.session import Session, run_in_reactor
from sipsorcery.config import Config, load
from sipsorcery.store.directory import Directory, Language
from sipsorcery.store.files import replace_private
from sipsorcery.transport.local import local_addresses

CONFIGURATION = Path("var/demo/sipsorcery.toml")

_TEXT = """\
# The configuration of "make run". Change what you like: it is not written again unless
# you remove it. etc/sipsorcery.toml shows every key with its default.

[server]
data_dir = "var/demo"

[proxy]
listen = [
    "udp:0.0.0.0:5060", "tcp:0.0.0.0:5060", "tls:0.0.0.0:5061",
    "udp:[::]:5060", "tcp:[::]:5060", "tls:[::]:5061",
]
"""

_PLAN = """\
; What accounts of the demo may call. The first line whose pattern matches decides.
; Other numbers get 404. "sipsorcery dialplan put" puts another text in its place.

; The accounts here.
exten => _1XX,1,Dial(,,${EXTEN}@local)
; Somebody who never has time.
exten => 486,1,Respond(486,Busy Here)
; 9 for an outside line, once you have an account at a provider:
; exten => _9X.,1,Dial(user,password,${EXTEN:1}@sip.provider.example)
"""

_USE = """
Two accounts are ready for two phones:

    user name    password        domain, registrar
    100          {user_100}    localhost, or from other machines
    101          {user_101}    {addresses}

Port 5060 over UDP and TCP, 5061 over TLS. Register one phone as 100 and another as 101,
and let one call the other: sip:101@localhost. What they may call says a dialplan, which
"sipsorcery dialplan show demo" shows. Who is registered, this does:

    .venv/bin/sipsorcery --config {configuration} bindings

The administrator is admin, with the password {admin}. Everything lies in
{data}; remove it, and you begin anew. Ctrl-C ends the servers.
"""

_CONSOLE = """\
What the servers do, a console shows as it happens: log in with the password
{password} and press Enter; "help" lists what else there is. The accounts belong
to the user demo. To the administrator it shows everything.

    ssh -p {port} demo@{host}
"""

_DOMAIN = "localhost"
_ADMINISTRATOR = "admin"
_USER = "demo"
_ACCOUNTS = ("100", "101")
_ANYWHERE = ("127.0.0.1", "::1", "0.0.0.0", "::")  # who listens there is found here
_DIALPLAN = "demo"
# Somebody types them into a phone: without what looks alike.
_LETTERS = "".join(sorted({*string.ascii_lowercase, *string.digits} - {*"0o1il"}))
_LENGTH = 12


def main() -> None:
    """
    Make what is missing and print what to do with the demo.
    """
    if not CONFIGURATION.exists():
        CONFIGURATION.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        CONFIGURATION.write_text(_TEXT, "utf-8")
    config = load(CONFIGURATION)
    run_in_reactor(config, fill)
    print(explain(config, CONFIGURATION))


async def fill(session: Session) -> None:
    """
    Add the users, the domain, the dialplan and the accounts that are not there.
    """
    passwords = _passwords(session.data_dir)
    async with session.directory() as directory:
        users, domains = directory.everyone.users, directory.everyone.domains
        if await users.find(_ADMINISTRATOR) is None:
            await users.add(_ADMINISTRATOR, passwords[_ADMINISTRATOR], is_admin=True)
        if await domains.find(_DOMAIN) is None:
            # And every address of this host.
            await domains.add(_DOMAIN, ["local"])
        if await users.find(_USER) is None:
            await users.add(_USER, passwords[_USER])
        plans = directory.of(_USER, as_admin=True).dialplans
        if await plans.find(_DIALPLAN) is None:
            await plans.put(_DIALPLAN, _PLAN, Language.LINES)
        for name in _ACCOUNTS:
            await _add_account(directory, name, passwords[name])


def explain(config: Config, file: Path) -> str:
    """
    Tell people how to use what there is.

    :param file: the configuration.
    """
    passwords = _passwords(config.server.data_dir)
    use = _USE.format(
        admin=passwords[_ADMINISTRATOR],
        **{f"user_{name}": passwords[name] for name in _ACCOUNTS},
        addresses=" or ".join(_outside()) or "the address of this one",
        configuration=file,
        data=config.server.data_dir,
    )
    console = config.ssh.listen
    if console is None or not config.monitor.enabled:
        return use
    here = console.host in _ANYWHERE
    host = "localhost" if here else console.host
    shown = _CONSOLE.format(password=passwords[_USER], port=console.port, host=host)
    return f"{use}\n{shown}"


async def _add_account(directory: Directory, name: str, password: str) -> None:
    if await directory.everyone.accounts.find(name, _DOMAIN) is None:
        owned = directory.of(_USER, as_admin=True).accounts
        await owned.add(name, _DOMAIN, password)
        await owned.change(name, _DOMAIN, out_dialplan=_DIALPLAN)


def _passwords(data_dir: Path) -> dict[str, str]:
    """
    Read the passwords, or make them: the directory could not tell them again.
    """
    file = data_dir / "demo-passwords"
    names = (_ADMINISTRATOR, _USER, *_ACCOUNTS)
    found: dict[str, str] = json.loads(file.read_bytes()) if file.exists() else {}
    if not found.keys() >= {*names}:
        for name in names:
            made = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
            found.setdefault(name, made)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_private(file, json.dumps(found).encode())
    return found


def _outside() -> list[str]:
    """
    Give the addresses at which other machines find this one.
    """
    addresses = map(ipaddress.ip_address, local_addresses())
    return [str(each) for each in addresses if not each.is_loopback]


if __name__ == "__main__":
    main()
