"""The loss landscape of L2-regularized deep matrix factorization: closed forms, training, claims, report."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dmf.api import reference as reference
    from dmf.api.audit import audit
    from dmf.api.denoise import denoise
    from dmf.api.factorization import DeepFactorization
    from dmf.api.gradients import FullGradient
    from dmf.api.operator import SpectralPenalty
    from dmf.api.prediction import predict
    from dmf.api.shrinkage import SchattenShrinkage
    from dmf.api.sweep import audit_sweep
    from dmf.api.training import train
    from dmf.api.verdicts import verdicts
    from dmf.dataset.tree import open_grid
    from dmf.theory.penalties import gsvt

__version__ = "0.1.0"
__all__ = [
    "DeepFactorization",
    "FullGradient",
    "SchattenShrinkage",
    "SpectralPenalty",
    "audit",
    "audit_sweep",
    "denoise",
    "gsvt",
    "open_grid",
    "predict",
    "train",
    "verdicts",
]

_HOMES = {  # imported when first used: most load more than numpy
    "DeepFactorization": "dmf.api.factorization",
    "FullGradient": "dmf.api.gradients",
    "SchattenShrinkage": "dmf.api.shrinkage",
    "SpectralPenalty": "dmf.api.operator",
    "audit": "dmf.api.audit",
    "audit_sweep": "dmf.api.sweep",
    "denoise": "dmf.api.denoise",
    "gsvt": "dmf.theory.penalties",
    "open_grid": "dmf.dataset.tree",
    "predict": "dmf.api.prediction",
    "train": "dmf.api.training",
    "verdicts": "dmf.api.verdicts",
}

_MODULES = {"reference": "dmf.api.reference"}  # of several names that belong together


def __getattr__(name: str) -> Any:
    """What people call, from the module that it is written in. Raises AttributeError for any other name."""
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _HOMES:
        raise AttributeError(f"module 'dmf' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_MODULES])
