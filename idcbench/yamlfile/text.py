"""From a file to the nodes of its YAML, within bounds: what is no settings file is refused soon, and in a sentence.

Every error is a :class:`UsageError` of the form ``FILE, line N: what was wanted; found …``.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from yaml.composer import ComposerError
from yaml.reader import ReaderError

from ..errors import UsageError
from .advice import described

BYTES_MOST = 256 * 1024
"""A configuration with every plugin in ten profiles has some 50 kB; this much takes a few seconds to read."""
DEPTH_MOST = 50
"""The deepest field that there is, in an added affinity, stands at depth 15."""
VALUES_MOST = 100_000
"""Values that aliases (``*name``) may unfold to."""


def read_text(path: Path) -> str:
    """The text of a file. Raises :class:`UsageError` when it cannot be read, is too large or not UTF-8."""
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MOST + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > BYTES_MOST:
        raise UsageError(f"{path}: a configuration of at most {BYTES_MOST // 1024} KiB is wanted; found more")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}, line {line}: text in UTF-8 is wanted; found {error.reason} at byte {error.start}"
        ) from None


def compose(text: str, *, file: str) -> yaml.Node | None:
    """The one document in ``text``, ``None`` when it is empty; ``file`` is what the errors call it."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"#x{int(error.character):04x}"  # the reader of a text gives its number
        raise UsageError(f"{file}, line {line}: not YAML: the character {found} may not stand in it") from None
    except yaml.YAMLError as error:
        number, why = described(error)
        raise UsageError(f"{file}{f', line {number}' if number else ''}: not YAML: {why}") from None
    if node is not None:
        _Unfolded(file).measure(node, depth=1)
    return node


class _Loader(yaml.SafeLoader):
    """Goes no deeper than a configuration does: PyYAML recurses."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > DEPTH_MOST:
            problem = f"nested deeper than {DEPTH_MOST} levels"
            raise ComposerError(None, None, problem, self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Unfolded:
    """Counts the values of a document as if each alias were written out, without writing it out."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._known: dict[int, tuple[int, int]] = {}

    def measure(self, node: yaml.Node, *, depth: int) -> tuple[int, int]:
        """How many values the node unfolds to, and how many levels. An alias within its own value has no end."""
        values, levels = self._known.get(id(node), (0, 0))
        if depth + levels > DEPTH_MOST:
            self._refuse(node, f"nested deeper than {DEPTH_MOST} levels, or an alias within its own value")
        if values:
            return values, levels
        below = [self.measure(one, depth=depth + 1) for one in _children(node)]
        values, levels = 1 + sum(each for each, _ in below), 1 + max((each for _, each in below), default=0)
        if values > VALUES_MOST:
            self._refuse(node, f"its aliases unfold to more than {VALUES_MOST:,} values")
        self._known[id(node)] = values, levels
        return values, levels

    def _refuse(self, node: yaml.Node, why: str) -> None:
        raise UsageError(f"{self._file}, line {node.start_mark.line + 1}: {why}")


def _children(node: yaml.Node) -> list[yaml.Node]:
    match node:
        case yaml.SequenceNode():
            return list(node.value)
        case yaml.MappingNode():
            return [part for pair in node.value for part in pair]
        case _:
            return []
