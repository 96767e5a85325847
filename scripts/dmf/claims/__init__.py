"""The paper's statements, one file each. A new claim is a new file here that defines CLAIM, and its test."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dmf.evidence.claim import Claim


def claim_names() -> list[str]:
    """Names of all claims: the files of this folder. Imports none of them."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def load_claim(name: str) -> Claim:
    """The claim of that name. Raises KeyError naming the known ones."""
    if name not in claim_names():
        raise KeyError(f"no claim {name!r}; known claims: {', '.join(claim_names())}")
    claim: Claim = import_module(f"dmf.claims.{name}").CLAIM
    return claim


def load_claims() -> dict[str, Claim]:
    """Every claim by name, in the order of the paper."""
    claims = {name: load_claim(name) for name in claim_names()}
    return dict(sorted(claims.items(), key=lambda item: item[1].order))
