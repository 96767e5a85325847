"""Text and numbers as LaTeX; everything returned is safe to place in a document with amsmath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dmf.evidence.cases import enough_digits
from dmf.report import text

ESCAPED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$", "λ": r"$\lambda$",
    "∇": r"$\nabla$", "≥": r"$\geq$", "≤": r"$\leq$", "×": r"$\times$", "½": r"$\frac{1}{2}$", "¼": r"$\frac{1}{4}$",
}  # fmt: skip


def rich(words: str) -> str:
    """Text with LaTeX between dollar signs; the rest of it means no command."""
    pieces = words.split("$")
    return "".join(f"${piece}$" if odd % 2 else plain(piece) for odd, piece in enumerate(pieces))


def plain(words: str) -> str:
    """Text as it is, with symbols and their subscripts as formulas."""
    rest, parts = 0, []
    for match in text.SUBSCRIPT.finditer(words):
        base, index = (r"\lambda", match[2]) if match[1] else (match[3], match[4])
        parts += [escaped(words[rest : match.start()]), f"${base}_{index}$"]
        rest = match.end()
    return "".join([*parts, escaped(words[rest:])])


def escaped(words: str) -> str:
    """Text as it is, letter by letter: a name of a file has no subscripts."""
    return "".join(ESCAPED.get(letter, letter) for letter in words)


def number(value: float | None) -> str:
    """Three significant digits, more where these would put it on an edge; a dash for None."""
    if value is None:
        return "--"
    if abs(value) >= text.LARGEST:
        return r"$-\infty$" if value < 0 else r"$\infty$"
    places = enough_digits(value) - 1
    mantissa, exponent = f"{value:.{places}e}".split("e")
    power = int(exponent)
    if value == 0 or -4 < power < 6:
        return f"${float(mantissa) * 10.0**power:.{max(places - power, 0)}f}$" if value else "$0$"
    return rf"${mantissa}\times10^{{{power}}}$"


def given(value: float) -> str:
    """A configured number as its author wrote it, up to 6 digits, more next to 1."""
    mantissa, _, exponent = f"{value:.{enough_digits(value, 6)}g}".partition("e")
    if not exponent:
        return f"${mantissa}$"
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if mantissa == "1" else rf"${mantissa}\times{power}$"


def count(value: int) -> str:
    """An integer with its thousands in groups."""
    return f"{value:,d}".replace(",", r"\,")


def share(part: int, whole: int) -> str:
    """A part in percent; never rounded to 0 % or 100 % unless it is exactly that."""
    return plain(text.share(part, whole)).replace(r" \%", r"\,\%")


def listed(items: Sequence[Any], word: str = "and") -> str:
    """Items in a sentence: a, b and c."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {word} {texts[-1]}"


FILTERS: tuple[Callable[..., str], ...] = (rich, plain, number, given, count, share, listed)


@cache
def environment() -> Environment:
    """Templates of this folder, with delimiters that LaTeX leaves free: <% %> and << >>."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    made.filters |= {filter.__name__: filter for filter in FILTERS}
    return made
