"""The paper's statements as claims that runs can contradict, in files by theorem, and the one list of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dmf.evidence.claim import Claim

# Every claim, in the order of reports, and the file that defines it: the claim `levels` is LEVELS in levels.py.
# Names instead of imports: a step that checks one claim depends on the file of that claim alone.
CLAIMS = {
    "balancedness": "balancedness",
    "schatten": "variational",
    "variational": "variational",
    "variational_equality": "variational",
    "scalar_formula": "scalar",
    "scalar_unique": "scalar",
    "two_minimizers": "scalar",
    "hessian_constant": "scalar",
    "scalar_hessian": "scalar",
    "small_lambda": "scalar",
    "von_neumann": "variational",
    "von_neumann_equality": "variational",
    "uniqueness": "uniqueness",
    "measure_zero": "uniqueness",
    "layer_norms": "uniqueness",
    "branch_end": "collapse",
    "collapse": "collapse",
    "jump": "collapse",
    "threshold": "collapse",
    "trace_bound": "trace",
    "levels": "levels",
    "strict_saddles": "hessian",
    "orbit": "minimizers",
    "trace_attained": "trace",
    "hessian_spectrum": "hessian",
    "zero_modes": "hessian",
    "morse_index": "hessian",
    "distance_bound": "minimizers",
    "sharpness": "hessian",
    "layer_lambdas": "extensions",
    "convention": "extensions",
    "bottleneck": "extensions",
    "bottleneck_tie": "extensions",
    "general_penalty": "penalties",
    "penalized_matrices": "penalties",
    "proximal_decrease": "recovery",
    "fixed_points": "recovery",
    "nuclear_norm": "recovery",
    "white_inputs": "networks",
    "any_inputs": "networks",
    "branches": "branches",
    "any_model": "any_model",
    "equal_norms": "any_model",
    "sweeps": "sweeps",
    "sensitivity": "sensitivity",
    "stein": "sensitivity",
    "missing_entries": "missing_entries",
    "mixed_norms": "mixed_norms",
    "real_depth": "mixed_norms",
    "any_loss": "any_loss",
    "residual_chains": "any_loss",
    "components": "components",
    "merge_tree": "components",
    "basins": "basins",
    "flow_balance": "dynamics",
    "largest_step": "dynamics",
    "slow_points": "dynamics",
    "counterexamples": "counterexamples",
    "minimizers_agree": "proofs",
    "curvature": "proofs",
    "measurements": "proofs",
    "balls": "proofs",
}


def claim_names() -> list[str]:
    """Names of all claims, sorted. Imports none of them."""
    return sorted(CLAIMS)


def claim_module(name: str) -> str:
    """The module that defines the claim of that name. Raises KeyError naming the known ones."""
    if name not in CLAIMS:
        raise KeyError(f"no claim {name!r}; known claims: {', '.join(claim_names())}")
    return f"dmf.claims.{CLAIMS[name]}"


def load_claim(name: str) -> Claim:
    """The claim of that name. Raises KeyError naming the known ones."""
    claim: Claim = getattr(import_module(claim_module(name)), name.upper())
    return claim


def load_claims() -> dict[str, Claim]:
    """Every claim by name, in the order of reports."""
    return {name: load_claim(name) for name in CLAIMS}


def in_order(name: str) -> tuple[int, str]:
    """Sorts names of claims into the order of reports; names that are none, as in an older report, come last."""
    return (list(CLAIMS).index(name) if name in CLAIMS else len(CLAIMS), name)
