"""The one kind of error a user is meant to read: a single line, no traceback."""


class UserError(Exception):
    """Bad input. The message says what, where, what was expected and what to do, in one line."""


def printable(text: str) -> str:
    r"""The text on one line: characters that end a line, steer a terminal or turn the direction of writing escaped.

    >>> print(printable("a\nb"))
    a\nb
    """
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
