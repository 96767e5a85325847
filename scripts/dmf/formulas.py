"""Formulas where there is no markup: LaTeX between dollar signs as one line of Unicode text, by pylatexenc.

The library drops braces, so that x^{2/L} would read x^2/L. It is made to keep them; scripts and groups are set here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NoReturn

from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

# Characters for private use stand for those to be shown, until no brace or mark of LaTeX's own is left.
SHOWN = str.maketrans("\ue000\ue001\ue002\ue003", "{}_^")
HIDDEN = {"_": "\ue002", "^": "\ue003"}
MACROS = {
    **{"{": "\ue000", "}": "\ue001", "|": "‖", ",": " ", "left": "", "right": "", "operatorname": "", "ast": "*"},
    **{"frac": "({%s}/{%s})", "sqrt": "√{%(2)s}", "det": "det", "dim": "dim", "ker": "ker"},
}
GROUP = re.compile(r"([_^]?)\{([^{}]*)\}")  # with no other inside
SINGLE = re.compile(r"([_^])([^\s(_^])")
RAISED = str.maketrans("0123456789+−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
LOWERED = str.maketrans("0123456789+−=()aeijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
RAISED_ALREADY = frozenset("*′″")
# The library loses the space between two symbols.
RELATION = re.compile(r" *([=≠≤≥<>≪→↦∈⇒⟺·×±]) *")
OPENING = re.compile(r"(?<=[∇∂⟨]) ")
ARGUMENT = re.compile(r"(?<=[a-z]{2})(?=[A-Z∇Α-ω])")  # of a function with a name


def in_unicode(text: str) -> str:
    """Text with LaTeX between dollar signs as plain text. Raises ValueError for a command that is not understood."""
    return "".join(_formula(piece) if odd % 2 else piece for odd, piece in enumerate(text.split("$")))


def _formula(latex: str) -> str:
    primed = latex.replace("''", "″").replace("'", "′")  # quotation marks to the library
    text = _reader().latex_to_text(f"${primed}$").replace("-", "−")
    text = OPENING.sub("", ARGUMENT.sub(" ", RELATION.sub(r" \1 ", text)))
    before = ""
    while text != before:
        before, text = text, GROUP.sub(lambda group: _group(group[1], _scripts(group[2])), text)
    return " ".join(_scripts(text).split()).translate(SHOWN)


@cache
def _reader() -> LatexNodes2Text:
    symbols = get_default_latex_context_db()
    macros = [MacroTextSpec(name, shown) for name, shown in MACROS.items()]
    symbols.add_context_category("of formulas", macros=macros, prepend=True)
    symbols.set_unknown_macro_spec(MacroTextSpec("", _refuse))
    return LatexNodes2Text(
        symbols,
        math_mode="text",
        keep_braced_groups=True,
        keep_braced_groups_minlen=0,
        strict_latex_spaces="based-on-source",
    )


def _refuse(node: object) -> NoReturn:
    raise ValueError(f"\\{getattr(node, 'macroname', '')} is not LaTeX that plain text can show")


def _scripts(text: str) -> str:
    """Text without braces, with scripts of one letter in place."""
    return SINGLE.sub(lambda script: _group(script[1], script[2]), text)


def _group(mark: str, text: str) -> str:
    """A script behind its mark, in the letters that Unicode has for it; a group without a mark, safe beside others."""
    text = text.replace(" ", "") if mark else text.strip()
    if mark == "^" and text in RAISED_ALREADY:
        return text
    table = RAISED if mark == "^" else LOWERED
    if mark and all(ord(letter) in table for letter in text):
        return text.translate(table)
    whole = len(text) == 1 or (text.isalpha() if mark else text.isalnum())
    return HIDDEN.get(mark, "") + (text if whole else f"({text})")
