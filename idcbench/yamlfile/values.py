"""A YAML document that knows its lines: values are taken out one by one, and what nobody took is an error.

Every error is a :class:`UsageError` of the form ``FILE, line N: PATH: what was wanted; found …``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml

from ..errors import UsageError
from .text import compose, read_text

Choice = TypeVar("Choice", bound=str)

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+|0", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:0|[1-9]\d{0,18})", re.ASCII)
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
SHOWN_MOST = 60
"""Of what was found, so many characters are repeated."""
DURATION_MOST_S = 24 * 3600.0
_NULL, _TRUE_FALSE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool"
_MERGE = "tag:yaml.org,2002:merge"
_WHOLE, _FRACTION, _TEXT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:str"


def read_document(path: Path, *, wanted: str = "a mapping") -> Section:
    """The mapping that a file holds. Raises :class:`UsageError` when it cannot be read or is no mapping."""
    return parse_document(read_text(path), file=str(path), wanted=wanted)


def parse_document(text: str, *, file: str, wanted: str = "a mapping") -> Section:
    """The same for a text; ``file`` is what the errors call it."""
    node = compose(text, file=file)
    if not isinstance(node, yaml.MappingNode):
        line = f", line {node.start_mark.line + 1}" if node else ""
        raise UsageError(f"{file}{line}: {wanted} is wanted; found {_described(node)}")
    return Section(Value(node, file=file, path=""))


@dataclass(frozen=True, slots=True)
class Value:
    """A node of the document and where it stands."""

    node: yaml.Node
    file: str
    path: str

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing, or null, stands here."""
        return bool(self.node.tag == _NULL)

    def fail(self, wanted: str) -> NoReturn:
        """Say what was wanted here; what was found is added."""
        self.refuse(f"{wanted} is wanted; found {_described(self.node)}")

    def refuse(self, why: str) -> NoReturn:
        where = f"{self.path}: " if self.path else ""
        raise UsageError(f"{self.file}, line {self.line}: {where}{why}")

    def text(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode) or self.is_empty:
            self.fail("a text")
        if self.node.tag != _TEXT:
            self.refuse(f"a text is wanted; found {_described(self.node)}; write it in quotes")
        return str(self.node.value)

    def written(self) -> str | None:
        """What is written here, whatever YAML takes it for: ``off`` is false to it. ``None`` for lists and mappings."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else None

    def name(self) -> str:
        """A text with at least one character."""
        return self.text() or self.fail("a text that is not empty")

    def choice(self, *choices: Choice) -> Choice:
        found = self.text()
        if found not in choices:
            wanted = f"{'one of ' if len(choices) > 1 else ''}{', '.join(choices)}"
            self.refuse(f"{wanted} is wanted; found {_shortened(found)!r}{nearest(found, choices)}")
        return choices[choices.index(found)]

    def flag(self) -> bool:
        if self.node.tag != _TRUE_FALSE or self.node.value.lower() not in ("true", "false"):
            self.fail("true or false")
        return bool(self.node.value.lower() == "true")

    def whole(self, *, least: int, most: int = 2**31 - 1) -> int:
        wanted = f"a whole number from {least} to {most}" if most < 2**31 - 1 else f"a whole number from {least} on"
        if self.node.tag != _WHOLE or _DECIMAL.fullmatch(self.node.value) is None:
            self.fail(wanted)
        number = int(self.node.value)
        return number if least <= number <= most else self.fail(wanted)

    def number(self) -> float:
        if self.node.tag not in (_WHOLE, _FRACTION):
            self.fail("a number")
        try:
            return float(self.node.value)
        except ValueError:
            self.fail("a number")

    def seconds(self, *, most_s: float = DURATION_MOST_S) -> float:
        """A duration as Go writes it, in seconds."""
        if not isinstance(self.node, yaml.ScalarNode) or not _DURATION.fullmatch(self.node.value):
            self.fail("a duration such as 15s or 1m30s")
        found_s = sum(float(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(self.node.value))
        return found_s if found_s <= most_s else self.fail(f"a duration of at most {most_s / 3600:g}h")

    def items(self) -> list[Value]:
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("a list")
        return [Value(one, self.file, f"{self.path}[{i}]") for i, one in enumerate(self.node.value)]

    def find(self, *path: str) -> Value | None:
        """What stands deeper, by the names of fields; ``None`` where it, or one on the way, is not there or null."""
        here: Value | None = self
        for name in path:
            here = here and here.section().take(name)
        return here

    def section(self) -> Section:
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("a mapping")
        return Section(self)


@dataclass(slots=True)
class Section:
    """A mapping. ``take`` each field that is known, then ``close`` to refuse all others."""

    value: Value
    _fields: dict[str, Value] = field(default_factory=dict)
    _keys: dict[str, Value] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for key, node in self.value.node.value:
            name = _key(Value(key, self.value.file, self.value.path))
            path = f"{self.value.path}.{name}" if self.value.path else name
            if name in self._fields:
                Value(key, self.value.file, path).refuse(f"stands here again; first in line {self._keys[name].line}")
            self._keys[name] = Value(key, self.value.file, path)
            self._fields[name] = Value(node, self.value.file, path)

    def take(self, name: str) -> Value | None:
        """The field, ``None`` when it is not there or null."""
        self._known.add(name)
        found = self._fields.get(name)
        return None if found is None or found.is_empty else found

    def need(self, name: str, *, what: str) -> Value:
        """The field. Its absence is an error that names ``what`` belongs there."""
        found = self.take(name)
        if found is None and (like := _closest(name, self._keys.keys() - self._known)):
            self._keys[like].refuse(f"no such field; did you mean {name}?")
        if found is None:
            self.value.refuse(f"{name}: {what} is wanted here; found nothing")
        return found

    def items(self) -> Iterator[tuple[str, Value]]:
        """All fields where the names are the user's own: nothing is unknown then."""
        self._known.update(self._fields)
        yield from self._fields.items()

    def sections(self, name: str) -> Iterator[Section]:
        """The mappings of a list, none when there is no such field."""
        found = self.take(name)
        for item in found.items() if found else ():
            yield item.section()

    def close(self) -> None:
        """Refuse the first field that was not taken."""
        for name, key in self._keys.items():
            if name not in self._known:
                expected = ", ".join(sorted(self._known))
                key.refuse(f"no such field{nearest(name, self._known)}; known here: {expected}")


def _key(value: Value) -> str:
    """``on``, ``off`` and numbers name fields too; ``<<``, which would merge another mapping, does not."""
    name = value.written()
    return value.fail("a text") if name is None or value.node.tag == _MERGE else name


def nearest(found: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` when a known name is close."""
    close = _closest(found, known)
    return f"; did you mean {close}?" if close else ""


def _closest(name: str, names: Iterable[str]) -> str:
    """Empty when none is close."""
    by_lower = {each.lower(): each for each in names}
    close: Sequence[str] = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[close[0]] if close else ""


def _described(node: yaml.Node | None) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case yaml.ScalarNode() if node.tag == _NULL:
            return "nothing"
        case yaml.ScalarNode() if node.tag == _TEXT:
            return f"the text {_shortened(node.value)!r}"
        case yaml.ScalarNode():
            return _shortened(node.value)
        case _:
            return "nothing"


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_MOST else f"{text[:SHOWN_MOST]}…"
