"""
Phones that register, refresh and go as fast as they are answered.
"""

from __future__ import annotations

import random

from twisted.internet.protocol import DatagramProtocol

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip import parse
from sipsorcery.sip.address import Address
from sipsorcery.sip.digest import Attempt, DigestClient, Secret
from sipsorcery.sip.fields import CALL_ID, CONTACT, WWW_AUTHENTICATE
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

# Contacts that a phone has at a time, at most.
_MOST = 3


class Phone:
    """
    One account, which has one request under way at a time.

    :ivar acknowledged: the contacts that it has been told are registered.
    :ivar doubtful: those, as they would be if the request under way has been done.
    :ivar lost: contacts that were acknowledged and are not there, after a restart.
    """

    def __init__(self, user: str, domain: str, password: str, chance: random.Random):
        self.acknowledged: set[str] = set()
        self.doubtful: set[str] = set()
        self.lost: list[str] = []
        self.answers = 0
        self._user = user
        self._aor = f"sip:{user}@{domain}"
        self._domain = domain
        self._chance = chance
        self._digest = DigestClient(lambda realm: Secret(user, password))
        self._cseq = 0
        self._made = 0
        self._fields: list[tuple[str, str]] = []
        self._attempt: Attempt = self._digest.attempt("REGISTER", f"sip:{domain}")

    def ask(self) -> Request:
        """
        Begin after a restart: ask what is registered.
        """
        self._digest.forget()
        self._fields = []
        return self._begin()

    def answer(self, response: Response) -> Request | None:
        """
        Take an answer, and give the next request.

        :return: None after a failure, from which on the phone is silent.
        """
        if response.status == 401:
            again = self._attempt.challenged(response.all(WWW_AUTHENTICATE))
            return self._request() if again else None
        if response.status != 200:
            return None
        self.answers += 1
        listed = {
            str(each.uri) for each in response.all(CONTACT) if isinstance(each, Address)
        }
        if self._fields:
            assert listed == self.doubtful, (listed, self.doubtful)
        elif listed not in (self.acknowledged, self.doubtful):
            self.lost += self.acknowledged - listed or {"more than there should be"}
        self.acknowledged = self.doubtful = listed
        self._choose()
        return self._begin()

    def _choose(self) -> None:
        """
        Choose what to do next: add a contact, refresh one, or take one away.
        """
        known = sorted(self.acknowledged)
        if not known or (len(known) < _MOST and self._chance.random() < 0.3):
            self._made += 1
            contact, expires = f"{self._aor}:{self._made + 1024}", 600
        else:
            contact = self._chance.choice(known)
            expires = 0 if self._chance.random() < 0.2 else 600
        self._fields = [("Contact", f"<{contact}>;expires={expires}")]
        self.doubtful = self.acknowledged | {contact}
        if not expires:
            self.doubtful -= {contact}

    def _begin(self) -> Request:
        self._attempt = self._digest.attempt("REGISTER", f"sip:{self._domain}")
        return self._request()

    def _request(self) -> Request:
        self._cseq += 1
        branch = f"z9hG4bK{self._user}x{self._cseq}"
        return Request(
            "REGISTER",
            f"sip:{self._domain}",
            [
                ("Via", f"SIP/2.0/UDP 127.0.0.1;rport;branch={branch}"),
                ("From", f"<{self._aor}>;tag=1"),
                ("To", f"<{self._aor}>"),
                ("Call-ID", self._aor),
                ("CSeq", f"{self._cseq} REGISTER"),
                *self._fields,
                *self._attempt.authorize(),
                ("Content-Length", "0"),
            ],
        )


class Phones(DatagramProtocol):
    """
    All phones behind one socket.

    :param registrar: where they register.
    """

    def __init__(self, registrar: Endpoint, phones: dict[str, Phone]) -> None:
        self._registrar = (registrar.host, registrar.port)
        self._phones = phones

    def startProtocol(self) -> None:
        """
        Let all phones begin.
        """
        for phone in self._phones.values():
            self._send(phone.ask())

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Hand an answer to its phone.
        """
        response = parse(datagram)
        assert isinstance(response, Response)
        following = self._phones[response[CALL_ID]].answer(response)
        if following is not None:
            self._send(following)

    def connectionRefused(self) -> None:
        """
        Do nothing: the registrar is not there, which is the point.
        """

    def _send(self, request: Request) -> None:
        if self.transport is not None:
            self.transport.write(request.to_bytes(), self._registrar)
