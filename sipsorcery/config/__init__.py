"""
The configuration: one TOML file for every role, read into one typed tree.

``load(find(None))`` gives the tree of the file that is in force, or raises a
`ConfigError` that holds everything that is wrong with it.
"""

from sipsorcery.config.convert import key_paths
from sipsorcery.config.faults import ConfigError, Fault
from sipsorcery.config.load import SEARCH_PATH, find, load, parse
from sipsorcery.config.tree import (
    HEP,
    SIP,
    SSH,
    AppServer,
    Auth,
    Config,
    Limits,
    Metrics,
    Notifier,
    Proxy,
    RegAgent,
    Registrar,
    Server,
    Storage,
    TLSTarget,
    Trunk,
    UserAgent,
    Web,
)
from sipsorcery.config.values import (
    DigestAlgorithm,
    DispatchBy,
    DispatchProbe,
    Durability,
    Rate,
    TLSVerify,
)

__all__ = [
    "HEP",
    "SEARCH_PATH",
    "SIP",
    "SSH",
    "AppServer",
    "Auth",
    "Config",
    "ConfigError",
    "DigestAlgorithm",
    "DispatchBy",
    "DispatchProbe",
    "Durability",
    "Fault",
    "Limits",
    "Metrics",
    "Notifier",
    "Proxy",
    "Rate",
    "RegAgent",
    "Registrar",
    "Server",
    "Storage",
    "TLSTarget",
    "TLSVerify",
    "Trunk",
    "UserAgent",
    "Web",
    "find",
    "key_paths",
    "load",
    "parse",
]
