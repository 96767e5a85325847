"""Formulas for a terminal: LaTeX between dollar signs as one line of Unicode text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

from dmf.report.text import formula

SPACED = frozenset("=≠≤≥<>→↦∈≪≫+−⇒⟺⇔×±·")  # operators between two terms
SIGNS = {"-": "−", "\u2217": "*", ",": ", "}
RAISED = str.maketrans("0123456789+−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
LOWERED = str.maketrans("0123456789+−=()aeijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
ACCENTS = {"~": "\u0303", "^": "\u0302"}  # combine with the letter before them
RAISED_ALREADY = frozenset("*′″")


def in_unicode(text: str) -> str:
    """Text with LaTeX between dollar signs as plain text. Raises ValueError for LaTeX that is not understood."""
    pieces = (_line(fromstring(formula(piece))) if odd % 2 else piece for odd, piece in enumerate(text.split("$")))
    return "".join(pieces).replace("  ", " ")


def _line(node: Element) -> str:
    parts = [_line(child) for child in node]
    match _tag(node), parts:
        case "mo", _:
            return SIGNS.get(node.text or "", node.text or "")
        case "mfrac", [over, under]:
            return f"{_grouped(over)}/{_grouped(under)}"
        case "msqrt", _:
            return f"√{_grouped(_row(node, parts))}"
        case (("msub" | "munder"), [base, low]):
            return base + _script("_", low, LOWERED)
        case "msup", [base, high]:
            return base + _script("^", high, RAISED)
        case (("msubsup" | "munderover"), [base, low, high]):
            return base + _script("_", low, LOWERED) + _script("^", high, RAISED)
        case "mover", [base, accent]:
            return base + ACCENTS.get(accent, accent)
        case "mspace", _:
            return " "
        case _:
            return (node.text or "") + _row(node, parts)


def _row(node: Element, parts: Sequence[str]) -> str:
    """The parts side by side: space around operators, and nothing that could be read together with its neighbour."""
    line = ""
    for (before, child, after), part in zip(_neighbours(node), parts, strict=True):
        if part in SPACED and before is not None and (_tag(before) != "mo" or before.text in (")", "|", "!", "‖")):
            line += f" {part} "
        elif (line and line[-1] != "(" and part[0] == "∑") or (
            _is_word(before) and (part[0].isalnum() or part[0] == "∇")
        ):
            line += f" {part}"
        elif _tag(child) == "mfrac" and after is not None and (_tag(after) != "mo" or after.text in ("(", "|")):
            line += f"({part}) "
        else:
            line += part
    return line.strip() if len(parts) > 1 else line


def _neighbours(node: Element) -> list[tuple[Element | None, Element, Element | None]]:
    padded = [None, *node, None]
    return [
        (before, child, after)
        for (before, child), after in zip(pairwise(padded), padded[2:], strict=False)
        if child is not None
    ]


def _is_word(node: Element | None) -> bool:
    """Whether an element is the name of a function, with or without an index."""
    while node is not None and len(node):
        node = node[0]
    return node is not None and len(node.text or "") > 1 and (node.text or "").isalpha()


def _tag(node: Element) -> str:
    return node.tag.rpartition("}")[2]


def _script(mark: str, text: str, table: dict[int, int]) -> str:
    """A sub- or superscript: in the letters that Unicode has for it, or behind a mark."""
    text = text.replace(" ", "")
    if text in RAISED_ALREADY:
        return text
    if all(ord(letter) in table for letter in text):
        return text.translate(table)
    return mark + (text if len(text) == 1 or text.isalpha() else f"({text})")


def _grouped(text: str) -> str:
    """Text in parentheses, unless nothing in it could be taken apart."""
    return text if text.isalnum() or len(text) == 1 else f"({text})"
