"""What to do about a text that is no YAML: the reader of it says what it met, and not always where it went wrong."""

from __future__ import annotations

from dataclasses import dataclass

import yaml
from yaml.error import MarkedYAMLError


@dataclass(frozen=True, slots=True)
class Advice:
    """For problems that have ``words`` in them. ``opened``: it went wrong where what could not be read begins.

    ``secret``: a name is quoted that may be a password without quotes, which is not repeated.
    """

    words: str
    remedy: str
    opened: bool = False
    secret: bool = False


ADVICES = (
    Advice("found character '\\t'", "indent with blanks, not tabs"),
    Advice("that cannot start any token", "a text that begins so stands in quotes"),
    Advice(
        "mapping values are not allowed",
        "keys of one level begin in the same column, a blank after ':' is wanted, here and above, and a text with ': ' "
        "in it stands in quotes",
    ),
    Advice("expected <block end>", "keys of one level begin in the same column, and a text is in quotes whole or not"),
    Advice("could not find expected ':'", "'key: value' is wanted, with a blank after ':'", opened=True),
    Advice("but found another document", "one document only, without '---' in it"),
    Advice("expected '<document start>'", "'key: value' is wanted in each line; an INI file is no YAML"),
    Advice("expected ',' or", "close the bracket that opens here, and put ', ' between values", opened=True),
    Advice("unexpected end of stream", "close the quote that opens here", opened=True),
    Advice("found undefined alias", "a text that begins with * stands in quotes", secret=True),
    Advice("found undefined tag handle", "a text that begins with ! stands in quotes", secret=True),
)  # fmt: skip


def described(error: yaml.YAMLError) -> tuple[int | None, str]:
    """The line where it went wrong, and what did, with what to do where that is known."""
    if not isinstance(error, MarkedYAMLError) or error.problem is None:
        return None, str(error)
    advice = next((each for each in ADVICES if each.words in error.problem), Advice("", ""))
    mark = error.context_mark if advice.opened and error.context_mark else error.problem_mark
    problem = advice.words if advice.secret else error.problem
    return mark.line + 1 if mark else None, f"{problem}; {advice.remedy}" if advice.remedy else problem
