"""The one kind of error a user is meant to read: a single line, no traceback."""

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")


class UserError(Exception):
    """Bad input. The message says what, where, what was expected and what to do, in one line."""


def printable(text: str) -> str:
    r"""The text on one line: characters that end a line, steer a terminal or turn the direction of writing escaped.

    >>> print(printable("a\nb"))
    a\nb
    """
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def or_exit(function: Callable[P, Result], *arguments: P.args, **options: P.kwargs) -> Result:
    """What a function returns; its UserError ends the process with its one line and exit status 1."""
    try:
        return function(*arguments, **options)
    except UserError as error:
        sys.exit(str(error))
