"""
The directory: users, domains, accounts, providers, dialplans, settings, call records.

`Directory` is where to begin.
"""

from sipsorcery.store.directory.account import Account
from sipsorcery.store.directory.cdrs import CDR, Direction
from sipsorcery.store.directory.dialplans import Dialplan, DialplanVersion, Language
from sipsorcery.store.directory.directory import Directory, Everyone, Tenancy
from sipsorcery.store.directory.domains import Domain
from sipsorcery.store.directory.keys import PublicKey
from sipsorcery.store.directory.providers import Provider
from sipsorcery.store.directory.users import User

__all__ = [
    "CDR",
    "Account",
    "Dialplan",
    "DialplanVersion",
    "Direction",
    "Directory",
    "Domain",
    "Everyone",
    "Language",
    "Provider",
    "PublicKey",
    "Tenancy",
    "User",
]
