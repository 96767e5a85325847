"""The one kind of error a user is meant to read: a single line, no traceback."""


class UserError(Exception):
    """Bad input. The message says what, where, what was expected and what to do, in one line."""
