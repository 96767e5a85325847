"""Penalties of singular values that studies share, and where their minimizer is not unique, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dmf import theory
from dmf.studies._searches import Jump

Floats = npt.NDArray[np.float64]
MU = 2.0  # (m - x)^2 is mu/2 (m - x)^2


@dataclass(frozen=True)
class Caps:
    """g(x) = sum_i weights_i min(x, caps_i): concave, an exceptional scalar at each cap that is far from others."""

    weights: tuple[float, ...]
    caps: tuple[float, ...]

    def __call__(self, x: npt.ArrayLike) -> Floats:
        """g(x), shape of x."""
        capped = np.minimum(np.asarray(x, dtype=np.float64)[..., None], self.caps)
        return np.asarray(np.sum(capped * self.weights, axis=-1))

    def slope(self, x: npt.ArrayLike) -> Floats:
        """g'(x) from the right, shape of x."""
        under = np.asarray(x, dtype=np.float64)[..., None] < self.caps
        return np.asarray(np.sum(under * np.array(self.weights), axis=-1))

    def known(self) -> list[Jump]:
        """At cap c of weight w with weight r beyond it: m = c + w/4 + r/2, with minimizers c - w/4 and c + w/4."""
        beyond = np.append(np.cumsum(self.weights[::-1])[::-1][1:], 0.0)
        cells = zip(self.weights, self.caps, beyond, strict=True)
        return [Jump(c + w / 4 + r / 2, c - w / 4, c + w / 4) for w, c, r in cells]

    def prox(self, m: npt.ArrayLike, mu: float) -> Floats:
        """The minimizer for every m >= 0, shape of m; mu is 2."""
        m = np.asarray(m, dtype=np.float64)
        passed = np.sum(m[..., None] > [jump.at for jump in self.known()], axis=-1)
        left = np.append(np.cumsum(self.weights[::-1])[::-1], 0.0)
        return np.asarray(np.maximum(m - left[passed] / mu, 0.0))


PENALTIES: dict[str, theory.Penalty | Caps] = {
    "l_2/3": theory.Power.of_depth(3, 0.3),
    "l_1/3": theory.Power.of_depth(6, 0.3),
    "l_0.13": theory.Power(0.7, 0.13),
    "l_1": theory.Power(1.0, 1.0),
    "log": theory.Log(1.0, 0.1),
    "log, wide": theory.Log(0.4, 3.0),
    "Geman": theory.Geman(1.0, 0.2),
    "Geman, wide": theory.Geman(0.6, 4.0),
    "MCP": theory.Mcp(0.8, 0.3),
    "MCP, wide": theory.Mcp(1.2, 3.0),
    "SCAD": theory.Scad(0.9, 1.2),
    "SCAD, wide": theory.Scad(1.0, 3.7),
    "two caps": Caps((1.0, 0.8), (1.0, 2.5)),
    "three caps": Caps((0.5, 0.5, 0.5), (0.5, 1.5, 3.0)),
}


def exceptional(g: theory.Penalty | Caps) -> list[Jump]:
    """The exceptional scalars m > 0 in closed form, in their order."""
    if isinstance(g, Caps):
        return g.known()
    tie = g.tie(MU)
    return [] if tie.unique else [Jump(tie.at, tie.low, tie.high)]


def threshold(g: theory.Penalty | Caps) -> float:
    """Where the minimizer leaves zero, for a penalty without an exceptional scalar."""
    return float(g.slope(0.0)) / MU
