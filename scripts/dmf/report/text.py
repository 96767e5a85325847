"""Numbers, dates and formulas as people read them; everything returned is safe to place in HTML."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Literal

from latex2mathml.converter import convert
from markupsafe import Markup, escape

from dmf.evidence.cases import enough_digits
from dmf.evidence.wilson import wilson

MINUS = "\u2212"
TIMES = "\u00a0×\u00a0"  # never broken across lines
AS_TEX_SETS_IT = {
    "<mo>&#x0002A;</mo>": "<mo>&#x02217;</mo>",  # the asterisk of X^* is centred
    "<mo>&#x0002F;</mo>": '<mo lspace="0" rspace="0">&#x0002F;</mo>',  # no space around a slash
    '<mo stretchy="false">&#x0007C;</mo>': '<mo stretchy="false" lspace="0" rspace="0">&#x0007C;</mo>',  # |x|
    "<mo>&#x0007C;</mo>": '<mo stretchy="false" lspace="0" rspace="0">&#x0007C;</mo>',  # \lvert x \rvert
    "<mo>&#x02016;</mo>": '<mo stretchy="false" lspace="0" rspace="0">&#x02016;</mo>',  # \lVert x \rVert
}
SUBSCRIPT = re.compile(r"(λ)([a-z])\b|\b([A-Za-z])_([A-Za-z0-9])\b")  # λc and x_J in a title
LARGEST = 1e300  # verdicts write the largest float for infinity, which JSON lacks


def rich(text: str) -> Markup:
    """Text with LaTeX between dollar signs as HTML with MathML; λc and x_J outside of them get their subscripts.

    Raises ValueError for a dollar sign without its twin, and for LaTeX that is not understood.
    """
    pieces = text.split("$")
    if len(pieces) % 2 == 0:
        raise ValueError(f"{text!r}: a $ has no twin; formulas stand between two dollar signs")
    return Markup("").join(formula(piece) if odd % 2 else _words(piece) for odd, piece in enumerate(pieces))


def _words(words: str) -> Markup:
    return Markup(
        SUBSCRIPT.sub(lambda match: f"{match[1] or match[3]}<sub>{match[2] or match[4]}</sub>", escape(words))
    )


def formula(latex: str, display: Literal["inline", "block"] = "inline") -> Markup:
    """One LaTeX formula as MathML. Raises ValueError for a command that MathML would show as its bare name."""
    # latex2mathml copies the content of \text unescaped; written so, a bracket there is refused below.
    safe = latex.replace("<", r"\lt ").replace(">", r"\gt ")
    mathml = convert(safe, display=display) if safe.strip() else ""
    unknown = re.search(r"\\[A-Za-z]+", mathml)
    if unknown or not mathml:
        culprit = unknown.group() if unknown else "an empty formula"
        raise ValueError(f"{latex!r}: {culprit} is not LaTeX that MathML can show")
    for loose, tight in AS_TEX_SETS_IT.items():
        mathml = mathml.replace(loose, tight)
    return Markup(mathml)


def plain(text: str) -> str:
    r"""Text for places without markup: dollar signs, braces and backslashes dropped, so $\lambda_c$ reads lambda_c."""
    return re.sub(r"[${}\\]", "", text)


def number(value: float | None) -> Markup:
    """Three significant digits, thousands in groups, a power of ten as a superscript; 'none' for None.

    More digits where three would put it on the edge 1, or across.
    """
    if value is None:
        return Markup("none")
    if math.isnan(value):
        return Markup("not a number")
    sign = MINUS if value < 0 else ""
    size = abs(value)
    if size >= LARGEST:
        return Markup(f"{sign}∞")
    if size == 0:
        return Markup("0")
    places = enough_digits(size) - 1
    mantissa, exponent = f"{size:.{places}e}".split("e")
    power = int(exponent)
    if -4 < power < 6:
        return Markup(f"{sign}{float(f'{size:.{places}e}'):,.{max(places - power, 0)}f}")
    return Markup(f"{sign}{mantissa}{TIMES}10<sup>{str(power).replace('-', MINUS)}</sup>")


def given(value: float) -> Markup:
    """A configured number as its author wrote it, up to 6 digits, more next to 1: 0.5, 20, 10 to the minus 10."""
    mantissa, _, exponent = f"{value:.{enough_digits(value, 6)}g}".partition("e")
    shown = mantissa.replace("-", MINUS)
    if not exponent:
        return Markup(shown)
    power = f"10<sup>{str(int(exponent)).replace('-', MINUS)}</sup>"
    return Markup(power if shown == "1" else f"{shown}{TIMES}{power}")


def singular(value: float, largest: float) -> Markup:
    """A singular value: three digits without trailing zeros, and 0 for what is rounding beside the largest."""
    return given(float(f"{value:.3g}")) if value > 1e-13 * largest else Markup("0")


def count(value: int) -> str:
    """An integer with its thousands in groups."""
    return f"{value:,d}"


def share(part: int, whole: int) -> str:
    """A part in percent; never rounded to 0 % or 100 % unless it is exactly that."""
    if whole == 0:
        return "none"
    if part in (0, whole):
        return f"{100 * part // whole} %"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"


def interval(part: int, whole: int) -> str:
    """Wilson's 95 % interval of a share, in percent; nothing where there is nothing to share."""
    if whole == 0:
        return ""
    low, high = (100 * float(end) for end in wilson(part, whole))
    return f"{low:.1f} to {high:.1f} %"


def lam_text(label: str) -> Markup:
    """A lambda's label: '0.9c' is 0.9 in units of lambda_c, '0.05' the number itself."""
    if label.endswith("c"):
        return given(float(label[:-1])) + Markup("\u202fλ<sub>c</sub>")
    return given(float(label))


def when(stamp: str) -> str:
    """An ISO 8601 time to the minute, in words; other text as it is."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".rstrip()


FILTERS = (rich, plain, number, given, singular, count, share, interval, lam_text, when)
