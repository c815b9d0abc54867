"""
Tests for calls that ring when their application server is killed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sipsorcery.sip.fields import CONTENT_TYPE, FROM, REASON, TO, VIA
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.response import Response
from sipsorcery.store.claims import CLAIMS, Claim, claim_key
from sipsorcery.store.directory import Language
from sipsorcery.store.outside_calls import OUTSIDE_CALLS
from sipsorcery.store.ringing import RINGING, RingingLeg
from sipsorcery.store.secrets import Purpose
from sipsorcery.transaction.derived import make_ack, make_cancel
from tests.appserver.restarting import PROXY, RestartingCase
from tests.appserver.test_service import HOST, SDP

TWICE = """\
sys.dial("one@192.0.2.1")
sys.dial("two@192.0.2.2")
"""
LINES = "exten => _X.,1,Dial(,,bob@192.0.2.1)"
RULES = """
[{"direction": "in", "action": {"do": "dial", "to": "one@192.0.2.1"}},
 {"direction": "in", "action": {"do": "dial", "to": "two@192.0.2.2"}},
 {"direction": "in", "action": {"do": "reject", "status": 486, "reason": "Away"}}]
"""


class RecordTests(RestartingCase):
    """
    What is written down of a call that rings.
    """

    def test_life(self) -> None:
        """
        A record is there while it rings, and gone when the caller has an answer.
        """
        self.plan(TWICE)
        self.ring()
        call = self.ringing()
        self.assertEqual((call.owner, call.plan, call.version), ("joe", "in", 1))
        self.assertEqual(len(call.legs), 1)
        self.assertTrue(call.state)
        self.proxy.send(self.leg.respond(486, to_tag="b"))
        self.settle(0.5)
        self.assertIn(b"sip:two@192.0.2.2", self.ringing().legs[0].invite)
        self.assertEqual(len(self.ringing().legs), 1)
        self.proxy.send(self.last("INVITE").respond(486, to_tag="b"))
        self.settle(0.5)
        self.assertEqual(self.records(), [])

    def test_cancelled(self) -> None:
        """
        Likewise if the caller gives up, or the server is stopped by its operator.
        """
        self.plan(TWICE)
        self.ring()
        self.proxy.send(make_cancel(self.invite))
        self.settle(0.5)
        self.assertEqual(self.records(), [])

    def test_at_once(self) -> None:
        """
        A call that has its answer at once is never written down.
        """
        self.plan(LINES, Language.LINES)
        self.call()
        self.proxy.send(self.last("INVITE").respond(486, to_tag="b"))
        self.settle()
        version = self.live._version
        self.settle(1)
        self.assertEqual(self.live._version, version)
        self.assertEqual(self.records(), [])

    def test_secrets(self) -> None:
        """
        What proves who calls is not written down, and what the dialplan knows cannot be
        read.
        """
        self.plan(f"secret = 'zanzi' + 'bar'\n{TWICE}")
        self.ring(fields=[("Proxy-Authorization", "Digest response=zanzibar")])
        self.assertNotIn(b"zanzibar", self.record().data)
        self.assertIn(b"INVITE sip:100@example.com", self.record().data)

    def test_no_dial_yet(self) -> None:
        """
        A dialplan that keeps the caller waiting before it dials is written down, too:
        he is told that it does not go on.
        """
        self.plan('sys.send_request("MESSAGE", "bob@192.0.2.7")\n' + TWICE)
        self.call()
        self.settle(0.5)
        self.assertEqual(self.ringing().state, b"")
        self.restart()
        self.assert_refused(503, "restarted")

    def assert_refused(self, status: int, code: str) -> None:
        """
        Check what the caller was told in the end.
        """
        self.assertEqual(self.statuses()[-1], status)
        self.assertEqual(self.final()[REASON].text, code)


class RestartTests(RestartingCase):
    """
    What the next process does.
    """

    def test_goes_on(self) -> None:
        """
        The phone gets a CANCEL with the branch of its INVITE, and the dialplan dials
        the next one; what that says reaches the caller.
        """
        self.plan(TWICE)
        self.ring()
        self.restart()
        cancel, invite = self.last("CANCEL"), self.last("INVITE")
        self.assertEqual(cancel[VIA].branch, self.leg[VIA].branch)
        self.assertEqual(cancel.request_uri, self.leg.request_uri)
        self.assertEqual(cancel.get("Call-ID"), self.leg.get("Call-ID"))
        self.assertEqual(invite.request_uri, "sip:two@192.0.2.2")
        self.proxy.send(cancel.respond(200))
        self.proxy.send(self.leg.respond(487, to_tag="b"))
        self.proxy.send(invite.respond(180, to_tag="c"))
        self.settle()
        self.assertEqual(self.methods()[-1], "ACK")
        self.assertEqual(self.statuses(), [100, 180])
        self.proxy.send(invite.respond(486, to_tag="c"))
        self.settle(0.2)
        self.assertEqual(self.statuses(), [100, 180, 486])
        self.assertEqual(self.records(), [])

    def test_killed_again(self) -> None:
        """
        What has gone on goes on after another kill, too.
        """
        self.plan(TWICE + 'sys.dial("three@192.0.2.3")')
        self.ring()
        self.restart()
        self.settle(0.5)
        second = self.last("INVITE")
        self.proxy.send(second.respond(180, to_tag="c"))
        self.settle(0.5)
        self.restart()
        self.assertEqual(self.last("CANCEL").request_uri, second.request_uri)
        self.assertEqual(self.last("INVITE").request_uri, "sip:three@192.0.2.3")

    def test_told_dialplan(self) -> None:
        """
        To the dialplan it is a dial that has failed.
        """
        self.plan(
            'got = sys.dial("one@192.0.2.1")\n'
            "told = [got.outcome, got.status, sys.last_failure_status]\n"
            "sys.respond(486, str(told) + got.reason)"
        )
        self.ring()
        self.restart()
        reason = "['failed', 480, 480]The server was restarted"
        self.assertEqual(self.final().reason, reason)

    def test_no_more(self) -> None:
        """
        A dialplan that dials nobody else ends, and the caller hears why; the way to him
        is shown, for a proxy that has forgotten it.
        """
        self.plan(LINES, Language.LINES)
        self.ring()
        self.restart()
        self.assertEqual(self.methods(), ["CANCEL"])
        self.assertEqual(self.statuses(), [100, 480])
        self.assertEqual(self.final().reason, "The server was restarted")
        self.assertEqual(self.final()[REASON].text, "not-answered")
        routes = self.final().all("Record-Route")
        self.assertEqual(list(routes), self.invite_routes())

    def invite_routes(self) -> list[str]:
        """
        Give the Record-Routes of the caller's INVITE.
        """
        return list(self.invite.all("Record-Route"))

    def test_rules(self) -> None:
        """
        The rules of a wizard go on with the next one.
        """
        self.plan(RULES, Language.WIZARD)
        self.ring()
        self.restart()
        second = self.last("INVITE")
        self.assertEqual(second.request_uri, "sip:two@192.0.2.2")
        self.proxy.send(second.respond(404, to_tag="b"))
        self.settle()
        final = self.final()
        self.assertEqual((final.status, final.reason), (486, "Away"))

    def test_several_legs(self) -> None:
        """
        Every phone that rings is told, and none that rings no more.
        """
        self.plan('sys.dial("a@192.0.2.1&b@192.0.2.2&c@192.0.2.3")')
        self.ring()
        invites = [each for each in self.proxy.requests if each.method == "INVITE"]
        self.proxy.send(invites[1].respond(486, to_tag="b"))
        self.settle(0.5)
        self.call_again_to_write()
        self.restart()
        told = [each.request_uri for each in self.proxy.requests]
        self.assertEqual(sorted(told), ["sip:a@192.0.2.1", "sip:c@192.0.2.3"])

    def call_again_to_write(self) -> None:
        """
        Do what has the call written down again: nothing does for a leg that has failed,
        as a CANCEL too many does no harm.
        """
        for call in self.service.calls:
            self.service._tools.ringing.changed(call)
        self.settle(0.5)

    def test_tag(self) -> None:
        """
        The caller goes on with the same early dialog; but if it has had a response that
        needs confirming, whose numbers nobody knows any more, with another one.
        """
        for number, fields in enumerate(((), (("Require", "100rel"),))):
            with self.subTest(fields=fields):
                self.plan(LINES, Language.LINES)
                self.ring(fields=fields)
                before = self.ours(180)[-1][TO].tag
                self.restart()
                after = self.ours(480)[-1][TO].tag
                self.assertEqual(before == after, number == 0)
                self.proxy.send(make_ack(self.invite, self.ours(480)[-1]))

    def ours(self, status: int) -> list[Response]:
        """
        Give the responses to the caller's last INVITE.
        """
        return [
            each
            for each in self.proxy.responses
            if each.status == status and each[FROM].tag == self.invite[FROM].tag
        ]

    def test_said(self) -> None:
        """
        What the dialplan has set for its calls holds for the next one, too.
        """
        self.plan(
            'sys.set_custom_sip_header("X-Note", "urgent")\n'
            'sys.set_from_header("Front door", "door", None)\n' + TWICE
        )
        self.ring()
        self.restart()
        second = self.last("INVITE")
        self.assertEqual(second.get("X-Note"), "urgent")
        self.assertIn("Front door", second.get("From") or "")

    def test_limits(self) -> None:
        """
        What a run may have only so often does not begin anew.
        """
        self.plan(
            "legs = '&'.join([str(n) + '@192.0.2.1' for n in range(12)])\n"
            "sys.dial(legs)\nsys.dial(legs)"
        )
        self.ring()
        self.restart()
        again = [one for one in self.methods() if one == "INVITE"]
        self.assertEqual(len(again), 8)  # of the 20 that a call may have

    def test_lease(self) -> None:
        """
        The call that was cut off counts no more among those to the outside.
        """
        self.plan(TWICE)
        self.ring()
        self.assertEqual(self.outside(), 1)
        self.restart()
        self.assertEqual(self.outside(), 1)  # the second dial
        self.proxy.send(self.last("INVITE").respond(486, to_tag="b"))
        self.settle()
        self.assertEqual(self.outside(), 0)

    def outside(self) -> int:
        """
        Count joe's calls to the outside.
        """
        return self.given(self.live.count(OUTSIDE_CALLS.name, "joe"))

    def test_records_of_legs(self) -> None:
        """
        The leg that was cut off has its record closed with the reason, the caller's
        when the call is over.
        """
        self.plan(TWICE)
        self.ring()
        self.settle(2)
        self.restart()
        self.settle(2)
        self.assertEqual(self.cdrs(), {"one": "server restarted"})
        self.proxy.send(self.last("INVITE").respond(486, to_tag="b"))
        self.settle(2)
        self.assertEqual(
            self.cdrs(),
            {"one": "server restarted", "two": "Busy Here", "100": "Busy Here"},
        )

    def cdrs(self) -> dict[str, str]:
        """
        Give the reasons of what has ended, by whom was called.
        """
        rows = self.do(self.everyone.cdrs.recent(limit=10))
        return {
            row.destination_user: row.ended_reason
            for row in rows
            if row.ended_at is not None
        }

    def test_answered_meanwhile(self) -> None:
        """
        A phone that has answered while the server was away is acknowledged and hung up.
        """
        self.plan(LINES, Language.LINES)
        self.ring()
        self.restart()
        fields = [
            ("Contact", "<sip:bob@192.0.2.1>"),
            ("Record-Route", f"<sip:{PROXY}:5059;lr>"),
        ]
        ok = self.leg.respond(200, fields=fields, to_tag="b")
        self.proxy.send(ok)
        self.settle()
        self.assertEqual(self.methods(), ["CANCEL", "ACK", "BYE"])

    def test_answered_untold(self) -> None:
        """
        A call whose server was killed after somebody had answered, and before it was
        ringing no more for all others, goes on as an established one: nobody is refused
        or cancelled but the other phones.
        """
        self.plan('sys.dial("one@192.0.2.1&two@192.0.2.2")')
        self.ring()
        ringing = self.record()
        fields: list[Any] = [
            ("Contact", "<sip:two@192.0.2.2>"),
            ("Record-Route", f"<sip:{PROXY}:5059;lr>"),
            (CONTENT_TYPE, MediaType("application", "sdp")),
        ]
        self.proxy.send(self.leg.respond(200, fields=fields, body=SDP, to_tag="b"))
        self.settle(0.5)
        self.given(self.live.put(ringing))
        self.restart()
        self.settle(1)
        cancels = [each for each in self.proxy.requests if each.method == "CANCEL"]
        self.assertEqual({each.request_uri for each in cancels}, {"sip:one@192.0.2.1"})
        self.assertEqual(set(self.statuses()), {200})
        self.assertEqual(len(self.service.connections), 1)
        self.assertEqual(self.records(), [])

    def test_repeated(self) -> None:
        """
        An INVITE that comes again is the call that goes on.
        """
        self.plan(TWICE)
        self.ring()
        self.restart()
        self.methods()
        self.proxy.send(self.invite)
        self.settle()
        self.assertEqual(self.methods(), [])
        self.assertEqual(self.statuses(), [100, 100])

    def test_cancel(self) -> None:
        """
        The caller can give up; his CANCEL may come by another branch, if his proxy was
        killed as well.
        """
        for branch in ("z9hG4bK1", "z9hG4bKother"):
            with self.subTest(branch=branch):
                self.plan(TWICE)
                self.number = 0
                self.ring()
                self.restart()
                second = self.last("INVITE")
                self.proxy.send(second.respond(180, to_tag="c"))
                self.settle()
                self.methods()
                cancel = make_cancel(self.invite)
                cancel.set("Via", f"SIP/2.0/UDP {PROXY}:5059;branch={branch}")
                self.proxy.responses.clear()
                self.proxy.send(cancel)
                self.settle()
                got = [each.status for each in self.proxy.responses]
                self.assertEqual(got, [200, 487])
                self.assertEqual(self.methods(), ["CANCEL"])
                self.proxy.send(make_ack(self.invite, self.proxy.responses[-1]))
                self.settle(200)
                self.proxy.requests.clear()

    def test_early_cancel(self) -> None:
        """
        A CANCEL that comes before its call was looked at ends that.
        """
        self.plan(TWICE)
        self.ring()
        self.kill()
        self.proxy.requests.clear()
        self.threads.waits = True
        self.service, *_ = self.start(HOST)
        self.proxy.send(make_cancel(self.invite))
        self.settle()
        self.threads.waits = False
        self.threads.step(len(self.threads.calls))
        self.settle()
        self.assertEqual(self.statuses()[-1], 487)
        self.assertEqual(self.methods(), ["CANCEL"])
        self.assertEqual(self.records(), [])

    def test_too_late(self) -> None:
        """
        A dialplan that has had its five minutes does not go on.
        """
        self.plan(TWICE)
        self.ring()
        self.restart(after=320)
        self.assertEqual(self.methods(), ["CANCEL"])
        self.assertEqual(self.final()[REASON].text, "plan-time")

    def test_account(self) -> None:
        """
        Nor does one whose account was disabled meanwhile.
        """
        self.plan(TWICE)
        self.ring()
        self.do(self.joe.accounts.disable("100", "example.com", "unpaid"))
        self.restart()
        self.assertEqual(self.methods(), ["CANCEL"])
        self.assertEqual(self.final()[REASON].text, "account-disabled")

    def test_newer_version(self) -> None:
        """
        A call goes on with the dialplan that it has begun with.
        """
        self.plan(TWICE)
        self.ring()
        self.do(self.joe.dialplans.put("in", "sys.respond(403)", Language.PYTHON))
        self.restart()
        self.assertEqual(self.last("INVITE").request_uri, "sip:two@192.0.2.2")

    def test_other_language(self) -> None:
        """
        If there is no such dialplan any more the caller is told so.
        """
        self.plan(TWICE)
        self.ring()
        self.do(self.joe.dialplans.put("in", LINES, Language.LINES))
        self.restart()
        self.assertEqual(self.final()[REASON].text, "restarted")


class UnrecordedTests(RestartingCase):
    """
    Calls that had just begun, and had no record yet.
    """

    def setUp(self) -> None:
        super().setUp()
        self.plan(TWICE)
        self.ring()

    def lose(self) -> None:
        """
        Remove the record of the call.
        """
        self.given(self.live.discard(RINGING.name, self.record().key))

    def test_refused(self) -> None:
        """
        Nobody knows what rings, but the caller is told that there is no call; his ACK
        ends it.
        """
        self.lose()
        self.restart()
        self.assertEqual(self.methods(), [])
        self.assertEqual(self.statuses(), [503])
        self.assertEqual(self.final()[REASON].text, "restarted")
        self.proxy.send(make_ack(self.invite, self.final()))
        self.settle(40)
        self.assertEqual(self.statuses(), [503])

    def test_once(self) -> None:
        """
        After another restart he is not told again.
        """
        self.lose()
        self.restart()
        self.restart()
        self.assertEqual(self.statuses(), [])

    def test_older(self) -> None:
        """
        A call that has begun long before the last one had its end, or has its record.
        """
        self.lose()
        self.settle(1)
        self.call()
        self.settle()
        self.restart()
        self.assertEqual(self.statuses(), [])
        told = [each.get("Call-ID") for each in self.proxy.responses]
        self.assertEqual(set(told), {"call2"})

    def test_answered(self) -> None:
        """
        A call that was answered goes on.
        """
        fields: list[Any] = [
            ("Contact", "<sip:one@192.0.2.1>"),
            ("Record-Route", f"<sip:{PROXY}:5059;lr>"),
            (CONTENT_TYPE, MediaType("application", "sdp")),
        ]
        self.proxy.send(self.leg.respond(200, fields=fields, body=SDP, to_tag="b"))
        self.settle(0.5)
        self.assertEqual(self.statuses()[-1], 200)
        self.restart()
        self.assertNotIn(503, self.statuses())
        self.assertEqual(len(self.service.connections), 1)

    def test_credentials(self) -> None:
        """
        What proves who calls lies in no claim either.
        """
        self.ring(fields=[("Authorization", "Digest response=zanzibar")])
        record = self.given(self.live.get(CLAIMS.name, claim_key("call2", "2", 1)))
        assert record is not None
        self.assertIn(b"INVITE", record.data)
        self.assertNotIn(b"zanzibar", record.data)

    def test_damaged(self) -> None:
        """
        A claim that cannot be read keeps nobody else waiting.
        """
        self.lose()
        key = claim_key("call1", "1", 1)
        record = self.given(self.live.get(CLAIMS.name, key))
        assert record is not None
        claim = CLAIMS.read(record)
        for number, data in enumerate(
            (
                b"\xff",
                self.damaged(claim, invite=b"BYE", dialogue="one"),
                self.damaged(claim, source="nowhere", dialogue="two"),
            )
        ):
            other = record.replace(key=f"{number}", data=data)
            self.given(self.live.put(other))
        self.restart()
        self.assertEqual(self.statuses(), [503])

    def damaged(self, claim: Claim, **fields: Any) -> bytes:
        """
        Give the data of a claim with other fields.
        """
        return CLAIMS.write(msgspec.structs.replace(claim, **fields))


class CalleesTests(RestartingCase):
    """
    Dialplans of callees, which those of callers have begun.
    """

    def setUp(self) -> None:
        super().setUp()
        self.do(self.eve.accounts.add("200", "example.com", "zanzibar"))
        self.do(self.eve.dialplans.put("mine", TWICE, Language.PYTHON))
        self.callee(in_dialplan="mine")
        self.plan('sys.dial("200@example.com[cd=60]")\nsys.dial("last@192.0.2.9")')

    def callee(self, **fields: Any) -> None:
        """
        Change the account that is dialled.
        """
        self.do(self.eve.accounts.change("200", "example.com", **fields))

    def test_goes_on(self) -> None:
        """
        It was the callee's dial that rang, so that is what has failed; what becomes of
        the callee's dialplan is what the caller's dial comes to.
        """
        self.ring()
        self.assertEqual(self.leg.request_uri, "sip:one@192.0.2.1")
        self.restart()
        second = self.last("INVITE")
        self.assertEqual(second.request_uri, "sip:two@192.0.2.2")
        self.proxy.send(second.respond(486, to_tag="b"))
        self.settle()
        last = self.last("INVITE")
        self.assertEqual(last.request_uri, "sip:last@192.0.2.9")
        self.proxy.send(last.respond(404, to_tag="b"))
        self.settle()
        self.assertEqual(self.final().status, 404)

    def test_killed_again(self) -> None:
        """
        So it does after another kill.
        """
        self.ring()
        for uri in ("sip:two@192.0.2.2", "sip:last@192.0.2.9"):
            self.restart()
            self.assertEqual(self.last("INVITE").request_uri, uri)
            self.settle(0.5)

    def test_beside_phones(self) -> None:
        """
        The phones that rang beside it are no more.
        """
        self.plan('sys.dial("200@example.com&beside@192.0.2.8")')
        self.ring()
        self.restart()
        self.assertEqual(self.methods(), ["CANCEL", "CANCEL", "INVITE"])

    def test_lease(self) -> None:
        """
        What it has counted under is released as well.
        """
        self.ring()
        self.restart()
        count = self.live.count(OUTSIDE_CALLS.name, "eve")
        self.assertEqual(self.given(count), 1)

    def test_gone(self) -> None:
        """
        If it is not there any more the caller's dial has failed.
        """
        self.ring()
        self.do(self.eve.dialplans.remove("mine"))
        self.restart()
        self.assertEqual(self.last("INVITE").request_uri, "sip:last@192.0.2.9")


class WhoseTests(RestartingCase):
    """
    Which calls a server goes on with.
    """

    def setUp(self) -> None:
        super().setUp()
        self.plan(TWICE)
        self.ring()

    def test_of_others(self) -> None:
        """
        The calls of another server are left to that.
        """
        self.change(server="udp:192.0.2.77:5060")
        self.restart()
        self.assertEqual(self.methods(), [])
        self.assertEqual(len(self.records()), 1)

    def test_begun_anew(self) -> None:
        """
        A call that somebody else has claimed by now has its phones told, and no more.
        """
        call = self.ringing()
        claim = Claim(call.server, "another", "fedcba9876543210")
        self.claim(claim)
        self.restart()
        self.assertEqual(self.methods(), ["CANCEL"])
        self.assertEqual(self.statuses(), [])
        self.assertEqual(self.records(), [])

    def claim(self, claim: Claim) -> None:
        """
        Let somebody else have the claim of the call.
        """
        key = claim_key("call1", "1", 1)
        record = CLAIMS.record(key, claim, expiry=self.now() + 100)
        self.given(self.live.put(record))

    def test_claim(self) -> None:
        """
        The claim is taken over, so that what comes elsewhere finds us.
        """
        key = claim_key("call1", "1", 1)
        before = self.given(self.live.get(CLAIMS.name, key))
        self.restart()
        after = self.given(self.live.get(CLAIMS.name, key))
        assert before is not None
        assert after is not None
        old, new = CLAIMS.read(before), CLAIMS.read(after)
        self.assertEqual((old.server, old.dialogue), (new.server, new.dialogue))
        self.assertNotEqual(old.incarnation, new.incarnation)

    def test_gone_claim(self) -> None:
        """
        A claim that has expired is made anew.
        """
        self.given(self.live.discard(CLAIMS.name, claim_key("call1", "1", 1)))
        self.restart()
        self.assertEqual(self.last("INVITE").request_uri, "sip:two@192.0.2.2")

    def test_connection(self) -> None:
        """
        A caller whose connection has ended with the process is not there any more.
        """
        self.change(source=f"tcp:{PROXY}:5059")
        self.restart()
        self.assertEqual(self.methods(), ["CANCEL"])
        self.assertEqual(self.statuses(), [])
        self.assertEqual(self.records(), [])

    def test_damaged(self) -> None:
        """
        What cannot be read keeps nobody else waiting.
        """
        first = self.record()
        self.call()
        self.settle(0.5)
        leg = self.ringing_legs(first)[0]
        others = [
            RingingLeg(invite=b"x", to=leg.to),
            RingingLeg(invite=leg.invite, to="nowhere"),
            RingingLeg(invite=leg.invite.replace(b"INVITE", b"OPTION"), to=leg.to),
        ]
        self.change(first, invite=b"BYE", legs=(*others, leg))
        self.restart()
        self.assertEqual(self.methods(), ["CANCEL", "CANCEL", "INVITE"])

    def ringing_legs(self, record: Any) -> tuple[RingingLeg, ...]:
        """
        Give the legs of a record.
        """
        return RINGING.read(record).legs

    def test_newer(self) -> None:
        """
        A record of a newer version is left to that.
        """
        self.given(self.live.swap(self.record().replace(data=b"\xff")))
        self.restart()
        self.assertEqual(self.methods(), [])


class SnapshotTests(RestartingCase):
    """
    Somebody who has got at the store makes the server run nothing that it has not run.
    """

    def setUp(self) -> None:
        super().setUp()
        self.plan(TWICE)

    def assert_refused(self) -> None:
        """
        Check that the phone is told, nobody is dialled, and the caller hears why.
        """
        self.restart()
        self.assertEqual(set(self.methods()), {"CANCEL"})
        finals = [each for each in self.proxy.responses if each.status >= 200]
        self.assertTrue(finals)
        for each in finals:
            self.assertEqual((each.status, each[REASON].text), (503, "restarted"))

    def test_altered(self) -> None:
        """
        No octet of a run can be changed, none left out and none added.
        """
        for place in (0, 1, 20, -20, -1):
            with self.subTest(place=place):
                self.ring()
                state = bytearray(self.ringing().state)
                state[place] ^= 1
                self.change(state=bytes(state))
                self.assert_refused()
        for cut in (slice(1, None), slice(-1), slice(5)):
            with self.subTest(cut=cut):
                self.ring()
                self.change(state=self.ringing().state[cut])
                self.assert_refused()
        self.ring()
        self.change(state=self.ringing().state + b"x")
        self.assert_refused()

    def test_made_up(self) -> None:
        """
        Nor can a run be made up.
        """
        self.ring()
        state = msgspec.msgpack.encode([b"run", 0.0, 10.0, 20])
        self.change(state=b"\x01" + bytes(12) + state)
        self.assert_refused()

    def test_swapped(self) -> None:
        """
        The run of one call does not go on in another one.
        """
        self.ring()
        self.ring()
        one, other = self.records()
        states = RINGING.read(one).state, RINGING.read(other).state
        self.change(one, state=states[1])
        self.change(other, state=states[0])
        self.assert_refused()

    def test_of_another(self) -> None:
        """
        Nor does it for another user or account, or as another dialplan, version or
        language of it.
        """
        self.do(self.eve.accounts.add("200", "example.com", "zanzibar"))
        self.do(self.eve.dialplans.put("in", TWICE, Language.PYTHON))
        for fields in (
            {"owner": "eve"},
            {"username": "200"},
            {"domain": "example.net"},
            {"plan": "out"},
            {"version": 2},
            {"language": "lines"},
            {"direction": "out"},
        ):
            with self.subTest(fields=fields):
                self.ring()
                self.change(**fields)
                self.assert_refused()
                for record in self.records():
                    self.given(self.live.discard(RINGING.name, record.key))

    def test_of_the_service(self) -> None:
        """
        Nor is what was sealed for something else a run.
        """
        self.ring()
        vault = self.service._continuity.takeover._vault
        other = vault._sealer().seal(b"run", b"leg")
        self.change(state=other)
        self.assert_refused()

    def test_key(self) -> None:
        """
        A run goes on that was sealed before the key was rotated, but not when that key
        is gone.
        """
        self.ring()
        self.secrets.rotate(Purpose.SNAPSHOT)
        self.restart()
        self.assertEqual(self.last("INVITE").request_uri, "sip:two@192.0.2.2")

    def test_too_large(self) -> None:
        """
        A run that has gathered too much is not kept; its caller is told.
        """
        self.plan("much = 'a' * 400_000\n" + TWICE)
        self.ring()
        self.assertEqual(self.ringing().state, b"")
        self.assert_refused()
