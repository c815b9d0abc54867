"""
Tests for `sipsorcery.access.accounts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from sipsorcery.access.accounts import CURRENCY, FORGOTTEN, Accounts
from sipsorcery.config import parse
from sipsorcery.store.directory import Account
from sipsorcery.store.errors import StoreError, StoreUnavailable
from sipsorcery.testing.threads import SteppedThreads
from tests.store.directory.cases import DirectoryCase


class CountingThreads(SteppedThreads):
    """
    Counts what the directory is asked, and fails or holds answers back if told to.
    """

    def __init__(self) -> None:
        super().__init__(waits=False)
        self.asked = 0
        self.is_broken = False
        self.is_slow = False
        self.late: list[Callable[[], object]] = []

    def run(self, work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """
        Count a question.
        """
        self.asked += 1
        if self.is_broken:
            return super().run(_fail)
        answer = super().run(work, *arguments)
        if not self.is_slow:
            return answer
        later: Deferred[Any] = Deferred()
        self.late.append(lambda: answer.chainDeferred(later))
        return later


def _fail() -> None:
    raise StoreUnavailable("the directory takes too long")


class AccountsTests(DirectoryCase):
    """
    Accounts in memory, and the directory behind them.
    """

    def setUp(self) -> None:
        super().setUp()
        self.threads = CountingThreads()
        self.accounts = self.make(capacity=2, misses=2)
        self.do(self.joe.accounts.add("100", "example.com"))
        self.do(self.joe.accounts.add("101", "example.com"))

    def make(self, **options: Any) -> Accounts:
        """
        Make what asks another connection of the same directory.
        """
        return Accounts(
            self.open(threads=self.threads),
            parse(b'[sip]\ndomains = ["example.net"]'),
            self.reactor,
            own=lambda: ["192.0.2.1"],
            **options,
        )

    def find(self, username: str) -> Account | None:
        """
        Find an account, as a server does.
        """
        return self.do(self.accounts.find(username, "example.com"))

    def questions(self, username: str) -> int:
        """
        Count what the directory is asked to find an account.
        """
        before = self.threads.asked
        self.find(username)
        return self.threads.asked - before

    def test_found_once(self) -> None:
        """
        An account is asked for once, in whatever case the next one asks.
        """
        account = self.find("100")
        assert account is not None
        self.assertEqual((account.aor, account.owner), ("sip:100@example.com", "joe"))
        self.assertEqual(self.questions("100"), 0)
        asked = self.threads.asked
        self.assertIs(self.do(self.accounts.find("100", "EXAMPLE.com")), account)
        self.assertEqual(self.threads.asked, asked)

    def test_missing_once(self) -> None:
        """
        A name without an account is asked for once, too.
        """
        self.find("100")
        self.assertEqual(self.questions("nobody"), 1)
        self.assertEqual(self.questions("nobody"), 0)
        self.assertIsNone(self.find("nobody"))

    def test_bounds(self) -> None:
        """
        Of accounts and of names without one, those asked for longest ago are forgotten;
        strangers who ask for many names displace no account.
        """
        self.do(self.joe.accounts.add("102", "example.com"))
        for name in ("100", "101", "a", "b", "c"):
            self.find(name)
        self.assertEqual([self.questions(name) for name in ("100", "101")], [0, 0])
        self.find("100")
        self.find("102")
        self.assertEqual([self.questions(name) for name in ("100", "101")], [0, 1])
        self.assertEqual([self.questions(name) for name in ("b", "c")], [0, 0])
        self.assertEqual(self.questions("a"), 1)

    def test_hostile_names(self) -> None:
        """
        What cannot be a name is not found: longer ones are not even asked for.
        """
        self.find("100")
        self.assertEqual(self.questions("x" * 400), 0)
        for name in ("\0", "\udc80", "'; drop table accounts", ""):
            self.assertIsNone(self.find(name))

    def test_change_is_seen(self) -> None:
        """
        What others change is known after two seconds: a new account, one that is
        disabled, one that is gone.
        """
        self.find("100")
        self.assertIsNone(self.find("102"))
        self.do(self.joe.accounts.add("102", "example.com"))
        self.do(self.joe.accounts.disable("100", "example.com", "lost phone"))
        self.assertEqual(self.questions("102"), 0)
        self.reactor.advance(CURRENCY)
        self.assertIsNotNone(self.find("102"))
        account = self.find("100")
        assert account is not None
        self.assertEqual(account.disabled, "lost phone")
        self.do(self.joe.accounts.remove("100", "example.com"))
        self.reactor.advance(CURRENCY)
        self.assertIsNone(self.find("100"))

    def test_nothing_has_changed(self) -> None:
        """
        Whoever comes first after two seconds looks at the counters, and that is all.
        """
        self.find("100")
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.questions("100"), 1)
        self.assertEqual(self.questions("100"), 0)

    def test_disabled_user(self) -> None:
        """
        The accounts of a user that is disabled are disabled.
        """
        self.find("100")
        self.do(self.everyone.users.disable("joe", "has not paid"))
        self.reactor.advance(CURRENCY)
        account = self.find("100")
        assert account is not None
        self.assertEqual(account.disabled, "has not paid")
        self.do(self.everyone.users.enable("joe"))
        self.reactor.advance(CURRENCY)
        account = self.find("100")
        assert account is not None
        self.assertIsNone(account.disabled)

    def test_removed_user(self) -> None:
        """
        The accounts of a user that is removed are gone, which counts as a change.
        """
        self.find("100")
        before = self.accounts.revision
        self.do(self.everyone.users.remove("joe"))
        self.reactor.advance(CURRENCY)
        self.assertIsNone(self.find("100"))
        self.assertGreater(self.accounts.revision, before)

    def test_change_of_a_user(self) -> None:
        """
        A user who changes something else does not make all accounts be asked for again.
        """
        self.find("100")
        self.do(self.joe.users.change("joe", email="joe@example.com"))
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.questions("100"), 2)  # what has changed, who is disabled
        self.assertEqual(self.questions("100"), 0)

    def test_many_ask_for_one(self) -> None:
        """
        Who asks for what is being asked for waits for the same answer.
        """
        self.find("101")
        before = self.threads.asked
        found = gatherResults(
            [
                Deferred.fromCoroutine(self.accounts.find("100", "example.com"))
                for _ in range(10)
            ]
        )
        self.reactor.advance(0)
        self.assertEqual(len({id(each) for each in self.successResultOf(found)}), 1)
        self.assertEqual(self.threads.asked, before + 1)

    def test_change_while_asking(self) -> None:
        """
        An answer that was asked for before a change is not kept.
        """
        self.find("101")
        self.threads.is_slow = True
        slow = Deferred.fromCoroutine(self.accounts.find("100", "example.com"))
        self.reactor.advance(0)
        self.threads.is_slow = False
        self.do(self.joe.accounts.disable("100", "example.com", "lost phone"))
        self.reactor.advance(CURRENCY)
        self.do(self.accounts.catch_up())
        [answer] = self.threads.late
        answer()
        before = self.successResultOf(slow)
        after = self.find("100")
        assert before is not None and after is not None
        self.assertEqual((before.disabled, after.disabled), (None, "lost phone"))

    def test_sub_accounts(self) -> None:
        """
        A call to ``anything.user`` is for ``user``, unless there is such an account;
        whoever registers names an account as it is.
        """
        self.do(self.joe.accounts.add("fax.100", "example.com"))

        def called(name: str) -> str | None:
            account = self.do(self.accounts.find_called(name, "example.com"))
            return None if account is None else account.username

        self.assertEqual(called("fax.100"), "fax.100")
        self.assertEqual(called("desk.100"), "100")
        self.assertEqual(called("a.desk.100"), "100")
        self.assertEqual(called("100"), "100")
        for name in ("100.", ".", "100.desk", "nobody"):
            self.assertIsNone(called(name))
        self.assertIsNone(self.find("desk.100"))

    def test_domains(self) -> None:
        """
        Domains are those of the configuration and of the directory, which may change.
        """

        def domain(host: str) -> str | None:
            return self.do(self.accounts.domain(host))

        self.assertEqual(domain("example.net"), "example.net")
        self.assertEqual(domain("SIP.example.com"), "example.com")
        self.assertEqual(domain("192.0.2.1"), "example.com")  # its alias is "local"
        self.assertIsNone(domain("203.0.113.1"))
        self.do(self.everyone.domains.add_alias("example.com", "*"))
        self.reactor.advance(CURRENCY)
        self.assertEqual(domain("203.0.113.1"), "example.com")
        asked = self.accounts.domain("203.0.113.1", wildcard=False)
        self.assertIsNone(self.do(asked))

    def test_reconfigure(self) -> None:
        """
        Another configuration has other domains; those of the directory stay.
        """
        self.do(self.accounts.catch_up())
        self.accounts.reconfigure(parse(b"sip.domains = ['example.org']"))
        for host, name in (
            ("example.org", "example.org"),
            ("example.net", None),
            ("sip.example.com", "example.com"),
        ):
            self.assertEqual(self.do(self.accounts.domain(host)), name)

    def test_own_addresses_change(self) -> None:
        """
        An address of ours that is new is known after two seconds.
        """
        own = ["192.0.2.1"]
        accounts = Accounts(self.directory, parse(b""), self.reactor, own=own.copy)
        self.assertIsNone(self.do(accounts.domain("192.0.2.7")))
        own.append("192.0.2.7")
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.do(accounts.domain("192.0.2.7")), "example.com")

    def test_directory_away(self) -> None:
        """
        While the directory is away, what is known holds, and nothing else is said.
        """
        self.find("100")
        self.threads.is_broken = True
        self.reactor.advance(CURRENCY)
        self.assertIsNotNone(self.find("100"))
        self.refuse(StoreUnavailable, self.accounts.find("101", "example.com"))
        self.do(self.joe.accounts.disable("100", "example.com", "lost phone"))
        self.threads.is_broken = False
        self.reactor.advance(CURRENCY)
        self.find("100")  # looks, and waits no longer for who was away
        account = self.find("100")
        assert account is not None
        self.assertEqual(account.disabled, "lost phone")

    def test_directory_never_there(self) -> None:
        """
        Where the directory has never been there, nobody is told that they do not exist.
        """
        self.threads.is_broken = True
        accounts = self.make()
        self.refuse(StoreError, accounts.find("100", "example.com"))
        self.refuse(StoreError, accounts.domain("example.com"))
        self.threads.is_broken = False
        self.assertIsNotNone(self.do(accounts.find("100", "example.com")))

    def test_recall(self) -> None:
        """
        What is known can be had at once, and the directory asked in spite of it.
        """
        self.assertIs(self.accounts.recall("100", "example.com"), FORGOTTEN)
        account = self.find("100")
        self.assertIs(self.accounts.recall("100", "example.com"), account)
        self.assertIsNone(self.find("nobody"))
        self.assertIsNone(self.accounts.recall("nobody", "example.com"))
        self.do(self.joe.accounts.set_password("100", "example.com", "a new secret"))
        asked = self.do(self.accounts.ask("100", "example.com"))
        assert asked is not None
        self.assertIsNotNone(asked.ha1_md5)
        self.assertIs(self.accounts.recall("100", "example.com"), asked)
