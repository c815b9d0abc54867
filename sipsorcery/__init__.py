"""
A telephony server suite on Twisted: a SIP stack and the servers built on it.
"""

__version__ = "0.1.0.dev0"
