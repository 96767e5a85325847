"""Numbers written as text, for the formats that are text: the nearest float64, or a reason why there is none."""

from __future__ import annotations

import re

NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NUMBER = re.compile(NUMBER)
_WHOLE = re.compile(r"[-+]?[0-9]+")
_DIGIT_BEFORE_EXPONENT = re.compile(r"[^eE]*[1-9]")
INFINITE = float("inf")
CERTAIN = 2**53  # float64 holds every whole number up to this


def number(text: str) -> float:
    """The float64 that is nearest to a decimal number. Raises ValueError, with what was expected instead.

    A fraction is rounded, as by every reader of text. A whole number is meant exactly, so one that float64 does not
    hold is refused; so is what it can only call zero or infinite.

    >>> number("0.1"), number("-2E3")
    (0.1, -2000.0)
    >>> number("9007199254740993")
    Traceback (most recent call last):
    ValueError: expected a whole number that float64 holds, as all up to 2^53; round it, or rescale
    """
    if not _NUMBER.fullmatch(text):  # Python would also read 1_000, nan and the digits of every script
        raise ValueError("expected a number")
    value = float(text)
    if abs(value) >= CERTAIN and _WHOLE.fullmatch(text) and (value in (INFINITE, -INFINITE) or int(text) != value):
        raise ValueError("expected a whole number that float64 holds, as all up to 2^53; round it, or rescale")
    if value in (INFINITE, -INFINITE) or (value == 0 and _DIGIT_BEFORE_EXPONENT.match(text)):
        raise ValueError("expected a number in float64's range, 5e-324 to 1.8e308; rescale")
    return value


def whole(text: str) -> int | None:
    """The whole number that a text is, else None. Only short ones: it is asked of labels."""
    return int(text) if len(text) < 20 and _WHOLE.fullmatch(text) else None
