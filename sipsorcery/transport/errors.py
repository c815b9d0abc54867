"""
The errors of the transport layer.
"""

from __future__ import annotations


class TransportError(Exception):
    """
    Says that a message could not be sent (:rfc:`3261#section-8.1.3.1`).

    The text is a sentence for the operator; it names the peer and the reason.
    """


class TLSVerificationError(TransportError):
    """
    Says that the peer's certificate does not prove the name that was expected.
    """


class ListenError(Exception):
    """
    Says which address the layer cannot listen on, and why.
    """


class CertificateError(Exception):
    """
    Says what is wrong with a certificate file or its key.
    """
