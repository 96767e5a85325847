"""Settings with which few runs can be certified: said before anything is trained, one line a key."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from dmf.grid.cells import lambda_labels, lambda_value
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.training.settings import Adam, Continuation, GradientDescent, Lbfgs, Nesterov

LOOSE = 1e-4
"""Above it, in units of sigma_1^(2-1/L), most cells leave the scope of the claim on levels: a gradient that large does
not tell critical points apart."""
FEW_STEPS = 50
"""Fewer steps of L-BFGS reach no gradient norm of 1e-10 in most cells of the default grid."""
ADAM = 1e-6
"""Adam's steps do not shrink, so that its gradients do not fall much below this."""


def out_of_reach(grid: Grid, targets: Sequence[TargetMatrix]) -> list[str]:
    """One line for each setting with which few runs of a grid can be certified, or few certified ones can count.

    Not an error: whatever was certified is judged, and too few are inconclusive.
    """
    norm, optimizer = grid.certificate.gradient_norm, grid.optimizer
    lines = []
    if norm > LOOSE:
        lines.append(
            f"certificate.gradient_norm: got {norm:g}; above {LOOSE:g} few cells are in the scope of every claim, so "
            "expect inconclusive verdicts"
        )
    if isinstance(optimizer, Lbfgs | Continuation) and optimizer.max_iterations < FEW_STEPS:
        lines.append(
            f"optimizer.max_iterations: got {optimizer.max_iterations}; L-BFGS needs {FEW_STEPS} steps or more in most "
            "cells, so expect few certified runs"
        )
    if isinstance(optimizer, Adam) and norm < ADAM:
        lines.append(
            f"optimizer.name: got adam; its steps do not shrink, so expect few runs with gradient norms below "
            f"{norm:g}: raise certificate.gradient_norm or use lbfgs"
        )
    if isinstance(optimizer, GradientDescent | Nesterov):
        lines += _slow(grid, optimizer, targets)
    return lines


def _slow(grid: Grid, optimizer: GradientDescent | Nesterov, targets: Sequence[TargetMatrix]) -> list[str]:
    r"""Cells where fixed steps are too few to shrink a gradient to the certificate.

    Near a minimizer one step shrinks it by 1 - \eta \mu at best for the softest mode, and \mu <= 4 \lambda at nonzero
    minimizers, 2 \lambda at zero; momentum gains the square root.
    """
    cells = [
        4 * optimizer.step * lambda_value(label, float(target.singular_values[0]), depth)
        for target in targets
        for depth in grid.depths
        for label in lambda_labels(grid.lambdas)
    ]
    rates = [rate if isinstance(optimizer, GradientDescent) else rate**0.5 for rate in cells]
    needed = [log(1 / grid.certificate.gradient_norm) / rate for rate in rates]
    short = [steps for steps in needed if steps > optimizer.max_iterations]
    if not short:
        return []
    return [
        f"optimizer.max_iterations: got {optimizer.max_iterations}; too few in {len(short)} of {len(needed)} cells, "
        f"where steps of {optimizer.step:g} take {max(short):.3g} or more to the certificate; raise it or "
        "optimizer.step"
    ]
