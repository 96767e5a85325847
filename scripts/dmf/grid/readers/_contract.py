"""What a reader is given and gives back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from dmf.errors import UserError, shown
from dmf.grid.labelled import LabelledMatrix

MAX_BYTES = 64 * 2**20  # a dense float64 matrix of about 2900 x 2900; larger is surely a mistake
KEYS = ("variable", "header", "index")


@dataclass(frozen=True)
class Options:
    """What a user may say of a file: which variable, and whether a table's first row and column are labels.

    With `missing`, what a format marks as missing is NaN in what is read; without, it is refused.
    """

    variable: str | None = None
    header: bool | None = None
    index: bool | None = None
    missing: bool = False


class Read(Protocol):
    """A matrix from a file's content. May raise anything where the content is malformed.

    A module that says ISOLATED has its `read` run in a separate process, which opens no files after it imported the
    module's LIBRARIES: for libraries that crash on such content, or follow names in it.
    """

    def __call__(self, content: bytes, suffix: str, options: Options) -> LabelledMatrix:
        """The matrix, as stored."""


@dataclass(frozen=True)
class Reader:
    """A format: how it is read, and which of KEYS it has a use for."""

    read: Read
    uses: Collection[str]


def one_of(names: Sequence[str], wanted: str | None, matrices: Sequence[str] = ()) -> str:
    """The variable to read, of those in a file. Raises UserError where it is not there, or not the only choice.

    Where none is wanted, only `matrices` are choices, if there are any: those that could be meant.
    """
    choices = matrices or names
    if wanted is None and len(choices) != 1:
        raise UserError(f"has variables {_listed(choices) or '(none)'}; name one with the key variable")
    if wanted is not None and wanted not in names:
        raise UserError(f"has no variable {shown(wanted, quoted=True)}; it has {_listed(names) or 'none'}")
    return wanted or choices[0]


def _listed(names: Sequence[str], most: int = 12) -> str:
    more = f", … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more
