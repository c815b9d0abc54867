"""
Turning what TOML holds into the typed tree, key by key, gathering every fault.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Iterable, Iterator
from enum import Enum, StrEnum
from typing import Annotated, Any

from sipsorcery.config.faults import Fault, shown
from sipsorcery.config.tree import Config
from sipsorcery.config.values import read_text

#: How alike two names must be (:func:`difflib.get_close_matches`): a typing error or
#: another ending passes, another word does not.
_LIKENESS = 0.7

_BARE_KEY = re.compile("[A-Za-z0-9_-]{1,40}")


class _Absent(Enum):
    """
    Stands for a value that could not be read.
    """

    VALUE = ""


def convert(document: dict[str, Any]) -> tuple[Config, list[Fault]]:
    """
    Read a parsed TOML document.

    :return: the tree, with defaults where a key is absent or wrong, and the faults of
        all keys, in the order of the document.
    """
    reading = _Reading()
    config = reading.read_table(Config, document, "")
    return typing.cast(Config, config), reading.faults


def key_paths(cls: type = Config, prefix: str = "") -> Iterator[str]:
    """
    Give the path of every key there is, such as ``proxy.listen``.
    """
    for name, hint in _hints(cls).items():
        table = _table_of(hint)
        if table:
            yield from key_paths(table, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


class _Reading:
    """
    One pass over a document.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def read_table(self, cls: type, table: object, path: str) -> object:
        """
        Read a table into an instance of *cls*; a wrong key counts as absent.
        """
        if not isinstance(table, dict):
            return self._fail(path, f"expected a table, not {shown(table)}")
        hints = _hints(cls)
        values: dict[str, object] = {}
        for key, value in table.items():
            key_path = f"{path}.{_quoted(key)}" if path else _quoted(key)
            if key in hints:
                values[key] = self._read(hints[key], value, key_path)
            else:
                self._fail(key_path, _unknown(key, path, hints))
        for field in dataclasses.fields(cls):
            if field.default is dataclasses.MISSING and field.name not in values:
                values[field.name] = self._fail(f"{path}.{field.name}", "is missing")
        return _build(cls, values)

    def _read(self, hint: Any, value: object, path: str) -> object:
        """
        Read a value as the type of its key says.
        """
        arguments = typing.get_args(hint)
        table = _table_of(hint)
        try:
            if typing.get_origin(hint) is Annotated:
                return arguments[1](value)
            if typing.get_origin(hint) is tuple:
                return self._read_array(arguments[0], value, path)
            if type(None) in arguments:  # T | None; TOML itself has no null
                return None if value == "" else self._read(arguments[0], value, path)
            if table:
                return self.read_table(table, value, path)
            return _read_plain(hint, value)
        except ValueError as error:
            return self._fail(path, str(error))

    def _read_array(self, hint: Any, array: object, path: str) -> object:
        """
        Read each element by itself; wrong ones are left out.
        """
        if not isinstance(array, list):
            kind = "an array of tables" if _table_of(hint) else "an array"
            return self._fail(path, f"expected {kind}, not {shown(array)}")
        read = [self._read(hint, each, f"{path}[{i}]") for i, each in enumerate(array)]
        return tuple(each for each in read if each is not _Absent.VALUE)

    def _fail(self, path: str, text: str) -> _Absent:
        self.faults.append(Fault(path, text))
        return _Absent.VALUE


def _read_plain(cls: Any, value: object) -> object:
    """
    Read what needs no reader: a truth value, a string, a choice, a ``parse`` class.
    """
    if cls is bool:
        if isinstance(value, bool):
            return value
        raise ValueError(f"expected true or false, not {shown(value)}")
    text = read_text(value)
    if issubclass(cls, StrEnum):
        return _choose(cls, text)
    return text if cls is str else cls.parse(text)


def _choose(cls: type[StrEnum], text: str) -> StrEnum:
    try:
        return cls(text)
    except ValueError:
        names = ", ".join(repr(str(each)) for each in cls)
        raise ValueError(f"expected one of {names}, not {shown(text)}") from None


def _build(cls: type, values: dict[str, object]) -> object:
    """
    Make an instance of *cls* of the keys that could be read, if those suffice.
    """
    read = {name: each for name, each in values.items() if each is not _Absent.VALUE}
    required = {
        each.name
        for each in dataclasses.fields(cls)
        if each.default is dataclasses.MISSING
    }
    return cls(**read) if required <= read.keys() else _Absent.VALUE


def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _table_of(hint: Any) -> type | None:
    """
    Give the class of a key that is a table or an array of tables.
    """
    if typing.get_origin(hint) is tuple:
        hint = typing.get_args(hint)[0]
    if dataclasses.is_dataclass(hint) and not hasattr(hint, "parse"):
        return typing.cast(type, hint)
    return None


def _quoted(key: str) -> str:
    """
    Show a key as it is, or quoted and shortened where it is none that could be right.
    """
    return key if _BARE_KEY.fullmatch(key) else shown(key)


def _unknown(key: str, path: str, siblings: Iterable[str]) -> str:
    """
    Say that there is no such key, and which one may be meant.
    """
    kind = "key" if path else "section or key"
    near = difflib.get_close_matches(key.lower(), siblings, 1, _LIKENESS)
    if near:
        prefix = f"{path}." if path else ""
        return f"there is no such {kind}; did you mean {prefix}{near[0]}?"
    elsewhere = [each for each in key_paths() if each.endswith(f".{key.lower()}")]
    if elsewhere:
        return f"there is no such {kind}; did you mean {' or '.join(elsewhere)}?"
    return f"there is no such {kind}; known here: {', '.join(siblings)}"
