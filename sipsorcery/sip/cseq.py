"""
Sequence numbers: CSeq, and the RAck that names one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError, excerpt

#: "less than 2**31" (:rfc:`3261#section-8.1.1.5`).
MAX_CSEQ = 2**31 - 1
#: :rfc:`3262#section-7.1`
MAX_RSEQ = 2**32 - 1

# CSeq = "CSeq" HCOLON 1*DIGIT LWS Method
_CSEQ = re.compile(rf"([0-9]++){grammar.LWS}({grammar.TOKEN})").fullmatch
# RAck = "RAck" HCOLON response-num LWS CSeq-num LWS Method
_RACK = re.compile(
    rf"([0-9]++){grammar.LWS}([0-9]++){grammar.LWS}({grammar.TOKEN})"
).fullmatch


class CSeq(NamedTuple):
    """
    One CSeq value. Numbers grow by one with each new request in a dialog.
    """

    number: int
    method: str  # case-sensitive, as every SIP method is

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """
        Read one field value (:rfc:`3261#section-20.16`).

        :raises ParseError: if *text* breaks the grammar or the number is 2**31 or more.
        """
        match = _CSEQ(text)
        if match is None:
            raise ParseError(f"bad CSeq {excerpt(text)}")
        return cls(grammar.number(match[1], MAX_CSEQ, "CSeq"), match[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


class RAck(NamedTuple):
    """
    One RAck value: which reliable provisional response a PRACK acknowledges.
    """

    rseq: int
    cseq: CSeq

    @classmethod
    def parse(cls, text: str) -> RAck:
        """
        Read one field value (:rfc:`3262#section-7.2`).

        :raises ParseError: if *text* breaks the grammar or a number is too large.
        """
        match = _RACK(text)
        if match is None:
            raise ParseError(f"bad RAck {excerpt(text)}")
        rseq, number, method = match.groups()
        return cls(
            grammar.number(rseq, MAX_RSEQ, "RAck"),
            CSeq(grammar.number(number, MAX_CSEQ, "CSeq in RAck"), method),
        )

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq}"
