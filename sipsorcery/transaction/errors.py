"""
The outcomes of transactions that are no response.
"""

from __future__ import annotations


class TransactionError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.transaction`.
    """


class TransactionTimeout(TransactionError):
    """
    Says that what was waited for did not come: Timer B, F or H has fired.

    A client takes it as a 408 (:rfc:`3261#section-8.1.3.1`); a server never sends that
    408 for a request other than INVITE (:rfc:`4320#section-4.2`).
    """
