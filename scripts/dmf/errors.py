"""The one kind of error a user is meant to read: a single line, no traceback. And how a stranger's text is shown."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")

LONGEST_LINE = 1000  # characters of an error
LONGEST_NAME = 60  # characters of one name or value in it
PLAIN = re.compile(r"[\w.+/\[\]-]+")


class UserError(Exception):
    """Bad input. The message says what, where, what was expected and what to do, in one line.

    Names inside files and keys are a stranger's text, so every message is made printable and cut here, once for all.
    """

    def __init__(self, message: str) -> None:
        """Of a message that is too long the middle is left out: the file is named first, the remedy last."""
        super().__init__(printable(message, LONGEST_LINE))


def printable(text: str, most: int | None = None) -> str:
    r"""The text on one line: characters that end a line, steer a terminal or turn the direction of writing escaped.

    Of a text of more than `most` characters the middle third is left out.

    >>> print(printable("a\nb\u200f"))
    a\nb\u200f
    >>> print(printable("0123456789abcdef", most=9))
    01234…def
    """
    if most is not None and len(text) > most:  # before escaping, which would make a long text longer
        text = _cut(text, most)
    if not text.isprintable():
        text = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    return text if most is None else _cut(text, most)


def shown(name: object, most: int = LONGEST_NAME, quoted: bool = False) -> str:
    r"""A name or value from a stranger's file: as it is where it is a plain word, else in quotes. Long ones are cut.

    >>> print(shown("sigma"), shown("two words"), shown("\x1b[31m"))
    sigma 'two words' '\x1b[31m'
    """
    text = printable(str(name), most)
    return text if not quoted and PLAIN.fullmatch(text) else "'" + text.replace("'", r"\'") + "'"


def near(name: str, known: Iterable[str]) -> str:
    """What a misspelt name may mean, to follow what is wrong with it; "" where nothing is near.

    >>> near("verdict", ["predict", "verdicts"]), near("traceBound", ["trace_bound"]), near("x", ["collapse"])
    ('; did you mean verdicts?', '; did you mean trace_bound?', '')
    """
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {shown(found[0])}?" if found else ""


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail - 1]}…{text[len(text) - tail :]}"


def or_exit(function: Callable[P, Result], *arguments: P.args, **options: P.kwargs) -> Result:
    """What a function returns; its UserError ends the process with its one line and exit status 1."""
    try:
        return function(*arguments, **options)
    except UserError as error:
        sys.exit(str(error))
