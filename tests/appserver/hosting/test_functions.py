"""
Tests for what dialplans can ask for.
"""

from __future__ import annotations

from sipsorcery.appserver.hosting.accounts import AccountFunctions
from sipsorcery.appserver.hosting.callbacks import CallbackFunctions
from sipsorcery.appserver.hosting.clocks import ClockFunctions
from sipsorcery.appserver.hosting.current import CurrentFunctions
from sipsorcery.appserver.hosting.ended import ended
from sipsorcery.appserver.hosting.mail import MailFunctions
from sipsorcery.appserver.hosting.numbers import NumberFunctions
from sipsorcery.appserver.hosting.tables import SETTING, TableFunctions
from sipsorcery.appserver.hosting.values import ValueFunctions
from sipsorcery.appserver.hosting.web import WebFunctions
from sipsorcery.appserver.plans.engine import PlanRequest, Value
from sipsorcery.appserver.python.declarations import DECLARED
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.store.dialogues import make_record
from sipsorcery.store.directory.cdrs import Direction
from tests.access.cases import make_binding
from tests.appserver.hosting.cases import DOMAIN, HostingCase, rows
from tests.appserver.hosting.outside import FakeActions, FakePages, FakePost, naptr
from tests.appserver.hosting.serving import all_functions
from tests.store.directory.cases import NOW
from tests.store.test_dialogues import make_dialogue


class AccountTests(HostingCase):
    def setUp(self) -> None:
        super().setUp()
        clock = self.reactor.seconds
        self.functions = AccountFunctions(
            self.accounts, self.directory, self.live, clock
        ).of

    def test_available(self) -> None:
        """
        An account of the owner is available while a phone of it is registered; without
        a name it is the one that the run is for.
        """
        guest = self.guest()
        self.assertIs(self.ask(self.functions, guest, "is_available"), False)
        self.register("100")
        self.assertIs(self.ask(self.functions, guest, "is_available"), True)
        given = self.ask(self.functions, guest, "is_available", user="101")
        self.assertIs(given, False)
        self.reactor.advance(3600)
        self.assertIs(self.ask(self.functions, guest, "is_available"), False)

    def test_others(self) -> None:
        """
        Of an account of somebody else a dialplan learns that it exists, and no more.
        """
        self.register("666")
        self.register("100")
        eves = self.guest("eve", "666")
        for user, guest in (("666", self.guest()), ("100", eves)):
            for name, given in (
                ("does_sip_account_exist", True),
                ("is_mine", False),
                ("is_available", False),
                ("get_bindings", []),
            ):
                found = self.ask(self.functions, guest, name, user=user, domain=DOMAIN)
                self.assertEqual(found, given, name)
        names = [
            [each["username"] for each in rows(self.ask(self.functions, guest, name))]
            for guest, name in (
                (self.guest(), "get_sip_accounts"),
                (eves, "get_sip_accounts"),
            )
        ]
        self.assertEqual(names, [["100", "101"], ["666"]])

    def test_bindings(self) -> None:
        """
        Bindings are told with what a phone calls itself; an alias of the domain will
        do.
        """
        binding = make_binding("sip:100@192.0.2.1", user_agent="Phone", received="x")
        self.register("100", binding)
        given = self.ask(self.functions, self.guest(), "get_bindings", domain="local")
        self.assertEqual(
            given,
            [
                {
                    "contact": "sip:100@192.0.2.1",
                    "expires": 60,
                    "user_agent": "Phone",
                    "received_from": "x",
                }
            ],
        )

    def test_domain(self) -> None:
        """
        A domain has one canonical name, and a strange one has none.
        """
        guest = self.guest()
        for host, name in (
            ("sip.example.com", DOMAIN),
            (DOMAIN, DOMAIN),
            ("example.net", None),
        ):
            given = self.ask(self.functions, guest, "get_canonical_domain", host=host)
            self.assertEqual(given, name)

    def test_wrong_argument(self) -> None:
        """
        What has the wrong type is an error of the dialplan.
        """
        text = self.refused(self.functions, self.guest(), "is_mine", user=7)
        self.assertEqual(text, "user has to be a text")


class ValueTests(HostingCase):
    def setUp(self) -> None:
        super().setUp()
        self.functions = ValueFunctions(self.directory).of

    def test_values(self) -> None:
        """
        What was written is read, listed and deleted.
        """
        guest = self.guest()
        ask = self.ask
        self.assertIsNone(ask(self.functions, guest, "db_read", key="a"))
        ask(self.functions, guest, "db_write", key="a", value="1")
        self.assertEqual(ask(self.functions, guest, "db_read", key="a"), "1")
        self.assertEqual(ask(self.functions, guest, "db_get_keys"), ["a"])
        ask(self.functions, guest, "db_delete", key="a")
        self.assertEqual(ask(self.functions, guest, "db_get_keys"), [])

    def test_others(self) -> None:
        """
        Every owner has their own: others neither read, list nor delete them.
        """
        joe, eve = self.guest(), self.guest("eve", "666")
        self.ask(self.functions, joe, "db_write", key="a", value="of joe")
        self.assertIsNone(self.ask(self.functions, eve, "db_read", key="a"))
        self.assertEqual(self.ask(self.functions, eve, "db_get_keys"), [])
        self.ask(self.functions, eve, "db_write", key="a", value="of eve")
        self.ask(self.functions, eve, "db_delete", key="a")
        self.assertEqual(self.ask(self.functions, joe, "db_read", key="a"), "of joe")

    def test_too_much(self) -> None:
        """
        A value that is too long is an error, and so is the use after the hundredth.
        """
        guest = self.guest()
        long = "x" * 20_000
        text = self.refused(self.functions, guest, "db_write", key="a", value=long)
        self.assertIn("characters", text)
        for _ in range(99):
            self.ask(self.functions, guest, "db_read", key="a")
        self.assertIn(
            "100 times", self.refused(self.functions, guest, "db_read", key="a")
        )


class TableTests(HostingCase):
    def setUp(self) -> None:
        super().setUp()
        self.functions = TableFunctions(self.configured).of

    def test_tables(self) -> None:
        """
        The dialplan's own entries go before those for all dialplans of its owner.
        """
        shared = {"speed_dials": {"7": "101", "8": 102}, "enum_servers": ["e164.arpa"]}
        self.do(self.joe.settings.put(SETTING, shared))
        guest = self.guest(options={"speed_dials": {"7": "100"}})
        for key, given in (("7", "100"), ("8", "102"), ("9", None)):
            found = self.ask(self.functions, guest, "lookup.speed_dial", key=key)
            self.assertEqual(found, given)
        servers = self.ask(self.functions, guest, "lookup.enum_servers")
        self.assertEqual(servers, ["e164.arpa"])
        prefixes = self.ask(self.functions, guest, "lookup.excluded_prefixes")
        self.assertEqual(prefixes, [])

    def test_others(self) -> None:
        """
        Nobody sees the tables of somebody else.
        """
        self.do(self.eve.settings.put(SETTING, {"caller_names": {"1": "Al"}}))
        given = self.ask(self.functions, self.guest(), "lookup.caller_name", number="1")
        self.assertIsNone(given)

    def test_odd_tables(self) -> None:
        """
        A table of the wrong shape is empty.
        """
        guest = self.guest(options={"speed_dials": "7", "enum_servers": "e164.arpa"})
        given = self.ask(self.functions, guest, "lookup.speed_dial", key="7")
        self.assertIsNone(given)
        self.assertEqual(self.ask(self.functions, guest, "lookup.enum_servers"), [])


class OutsideTests(HostingCase):
    def setUp(self) -> None:
        super().setUp()
        self.pages, self.post, self.actions = FakePages(), FakePost(), FakeActions()

    def test_pages(self) -> None:
        """
        A page is given; None, and a note, where there is none; and no eleventh.
        """
        functions, guest = WebFunctions(self.pages).of, self.guest()
        self.pages.pages["http://a"] = "A"
        self.assertEqual(self.ask(functions, guest, "web_get", url="http://a"), "A")
        self.assertIsNone(self.ask(functions, guest, "web_get", url="http://b"))
        self.assertEqual(self.notes, ["gets no page: the server says 404"])
        for _ in range(8):
            self.ask(functions, guest, "web_get", url="http://a")
        self.assertIsNone(self.ask(functions, guest, "web_get", url="http://a"))
        self.assertEqual(len(self.pages.asked), 10)

    def test_contact(self) -> None:
        """
        A contact book answers in JSON; what else it says is no contact.
        """
        functions, guest = WebFunctions(self.pages).of, self.guest()
        self.pages.pages |= {
            "http://a": '{"person_name": "Al", "x": 1}',
            "http://b": "B",
        }
        given = self.ask(
            functions, guest, "crm.lookup_contact", url="http://a", token="t"
        )
        self.assertEqual(
            given, {"person_name": "Al", "company_name": "", "picture_url": ""}
        )
        self.assertEqual(self.pages.asked[0][2], "t")
        given = self.ask(functions, guest, "crm.lookup_contact", url="http://b")
        self.assertIsNone(given)
        self.assertIn("the contact book", self.notes[0])

    def test_mail(self) -> None:
        """
        A run sends three e-mails, a user twenty within the hour; without a server
        there are none.
        """
        functions = MailFunctions(self.post, self.reactor.seconds).of
        given = {"to": "a@example.org", "subject": "s", "body": "b"}
        first = self.guest()
        sent = [self.ask(functions, first, "email", **given) for _ in range(4)]
        self.assertEqual(sent, [True, True, True, False])
        for _ in range(10):
            run = self.guest()
            for _ in range(3):
                self.ask(functions, run, "email", **given)
        self.assertEqual(len(self.post.sent), 20)
        other = self.guest("eve", "666")
        self.assertIs(self.ask(functions, other, "email", **given), True)
        self.assertIs(self.ask(functions, other, "email", to="nobody"), False)
        nothing = MailFunctions(None, self.reactor.seconds).of
        self.assertIs(self.ask(nothing, self.guest(), "email", **given), False)

    def test_callback(self) -> None:
        """
        A call-back goes on by itself, and tells how it went; three times in a run.
        """
        functions = CallbackFunctions(lambda: self.actions, self.reactor.seconds).of
        guest = self.guest()
        given: dict[str, Value] = {"first": "1", "second": "2", "delay": 3}
        for _ in range(3):
            self.assertIsNone(self.ask(functions, guest, "callback", **given))
        self.assertIn("3 times", self.refused(functions, guest, "callback", **given))
        self.assertEqual(self.actions.asked, [(f"100@{DOMAIN}", "1", "2", 3)] * 3)
        self.actions.waiting[0].callback(None)
        self.actions.waiting[1].errback(Refused(Code.NOT_ANSWERED))
        self.assertEqual(self.notes[3], "1 and 2 are connected")
        self.assertIn("are not connected: 480", self.notes[4])

    def test_callback_of_callback(self) -> None:
        """
        A run that decides about a call-back makes none: nobody has called.
        """
        functions = CallbackFunctions(lambda: self.actions, self.reactor.seconds).of
        guest = self.guest(request=PlanRequest(owner="joe"))
        self.refused(functions, guest, "callback", first="1", second="2")
        self.assertEqual(self.actions.asked, [])

    def test_enum(self) -> None:
        """
        A number leads to a URI, or to nothing.
        """
        functions = NumberFunctions(naptr({"2.1.e164.arpa": "sip:a@b"})).of
        guest = self.guest()
        for number, given in (("12.e164.arpa", "sip:a@b"), ("13.e164.arpa", None)):
            found = self.ask(functions, guest, "enum_lookup", number=number)
            self.assertEqual(found, given)
        self.assertIsNone(self.ask(functions, guest, "enum_lookup", number="x"))

    def test_ended(self) -> None:
        """
        What has ended does nothing but say so.
        """
        for name in ("google_voice_call", "google_voice_sms", "gtalk"):
            self.assertIsNone(self.ask(ended, self.guest(), name, arguments=["x"]))
        self.assertTrue(all("does nothing" in note for note in self.notes))
        self.assertEqual(len(self.notes), 3)


class OtherTests(HostingCase):
    def test_clock(self) -> None:
        """
        The time zone is that of the owner, and its offset that of now.
        """
        functions = ClockFunctions(self.reactor.seconds).of
        guest = self.guest(time_zone="Asia/Kolkata")
        self.assertEqual(self.ask(functions, guest, "get_timezone"), "Asia/Kolkata")
        given = self.ask(functions, guest, "get_timezone_offset_minutes")
        self.assertEqual(given, 330)

    def test_calls(self) -> None:
        """
        Calls that go on are told to their owner, wherever they go on, and to nobody
        else.
        """
        for id, direction in (("a", Direction.IN), ("b", Direction.OUT)):
            dialogue = make_dialogue(id=id, direction=direction)
            self.do(self.live.put(make_record(dialogue, NOW, None)))
        functions = CurrentFunctions(self.live, lambda: NOW + 7.5).of
        joe, eve = self.guest(), self.guest("eve", "666")
        calls = sorted(
            rows(self.ask(functions, joe, "get_current_calls")),
            key=lambda one: one["id"],
        )
        self.assertEqual([one["direction"] for one in calls], ["in", "out"])
        self.assertEqual(
            [one["remote"] for one in calls],
            ["sip:caller@example.com", "sip:callee@example.com"],
        )
        self.assertEqual({one["seconds"] for one in calls}, {7})
        self.assertEqual(self.ask(functions, joe, "get_current_call_count"), 2)
        self.assertEqual(self.ask(functions, eve, "get_current_call_count"), 0)
        self.assertEqual(self.ask(functions, eve, "get_current_calls"), [])

    def test_no_calls(self) -> None:
        """
        Who has no calls has none.
        """
        functions = CurrentFunctions(self.live, lambda: NOW).of
        guest = self.guest()
        self.assertEqual(self.ask(functions, guest, "get_current_call_count"), 0)
        self.assertEqual(self.ask(functions, guest, "get_current_calls"), [])

    def test_every_function(self) -> None:
        """
        The stub declares no function that nobody offers.
        """
        offered = {
            *("dial", "respond", "log", "extend_script_timeout"),
            *("field",),  # is answered by the engine
            *self.names(),
        }
        declared = {
            function.name.rpartition("req.")[2]
            for each in DECLARED.values()
            for function in each.functions.values()
        }
        self.assertEqual(declared - offered, set())

    def names(self) -> set[str]:
        """
        Give the names of all functions that a server offers.
        """
        return set(all_functions(self)(self.guest()))
