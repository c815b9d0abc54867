"""
Tests for `sipsorcery.store.dialogues`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.record import DialogRecord
from sipsorcery.store.dialogues import (
    DIALOGUES,
    LIFETIME,
    Dialogue,
    Leg,
    make_record,
)
from sipsorcery.store.directory.cdrs import CDR, Direction

NOW = 1_700_000_000.0
NAME = "0123456789abcdef"
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"


def make_leg(side: str, **dialog: object) -> Leg:
    """
    Make one side of a call.
    """
    fields = {
        "state": "Confirmed",
        "method": "INVITE",
        "initiator": side == "callee",
        "call_id": f"call of {side}",
        "local": "<sip:service@example.com>;tag=ours",
        "remote": f"<sip:{side}@example.com>;tag={side}",
        "contact": "<sip:dlg.x@203.0.113.1>",
        "remote_target": f"sip:{side}@192.0.2.1",
        "route_set": ("<sip:127.0.0.1:5059;lr>",),
        "local_cseq": 1,
        "remote_cseq": None,
        "secure": False,
        "local_description": SDP,
        "unacknowledged": b"SIP/2.0 200 OK\r\n\xff",
        **dialog,
    }
    cdr = CDR(
        id=f"cdr of {side}",
        owner="joe",
        server="udp:127.0.0.1:5065",
        direction=Direction.IN,
        call_id=f"call of {side}",
        destination_uri="sip:bob@example.com",
        from_header="<sip:alice@example.com>",
        created=datetime.fromtimestamp(NOW, UTC),
        detail={"headers": ["X: y"]},
    )
    record = DialogRecord(**fields)  # type: ignore[arg-type]  # tests name fields
    return Leg(dialog=record, name=NAME, cdr=cdr, credentials=b"\x00")


def make_dialogue(**fields: object) -> Dialogue:
    """
    Make a call between alice and bob.
    """
    given = {
        "id": NAME,
        "owner": "joe",
        "server": "udp:127.0.0.1:5065",
        "legs": (make_leg("caller"), make_leg("callee")),
        "started": NOW - 5,
        "answered": NOW,
        **fields,
    }
    return Dialogue(**given)  # type: ignore[arg-type]  # tests name fields


class DialoguesTests(SynchronousTestCase):
    """
    Calls as records.
    """

    def test_round_trip(self) -> None:
        """
        All of a call comes back from its record, the records of its legs included.
        """
        dialogue = make_dialogue(limit=NOW + 60, transfer="n", direction=Direction.OUT)
        record = make_record(dialogue, NOW, None)
        self.assertEqual((record.key, record.owner), (NAME, "joe"))
        self.assertEqual(DIALOGUES.read(record), dialogue)

    def test_due(self) -> None:
        """
        A record is due when there is something to do, and at half of its life anyway.
        """
        dialogue = make_dialogue()
        self.assertEqual(make_record(dialogue, NOW, NOW + 90).due, NOW + 90)
        for due in (None, NOW + LIFETIME):
            record = make_record(dialogue, NOW, due)
            self.assertEqual(record.due, NOW + LIFETIME / 2)
            self.assertEqual(record.expiry, NOW + LIFETIME)

    def test_size(self) -> None:
        """
        A call takes 2 KiB and its session descriptions.
        """
        record = make_record(make_dialogue(), NOW, None)
        self.assertLess(len(record.data), 2048 + 2 * len(SDP))
