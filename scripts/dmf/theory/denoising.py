r"""Denoising: what the singular values of Y = M + s Z say of M, for a Z of independent noise of variance 1.

m <= n are the sides of Y, \beta = m / n. Singular values come in units of s n^{1/2}, risks in units of n s^2, both
dimensionless; m and n are large against the rank of M, whose singular values \theta are called spikes. Noise alone ends
at 1 + \beta^{1/2} (Marchenko & Pastur 1967), and a spike above \beta^{1/4} is seen above that, with singular vectors
that are turned (Benaych-Georges & Nadakuditi 2012). Derivations: docs/denoise.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, depth_number, integer, real, reals, same_shape, spectrum_values
from dmf.theory.adapter import positive
from dmf.theory.certificate import rank_rounding
from dmf.theory.scalar import critical_lambda, scalar_minimizer

if TYPE_CHECKING:
    from jaxtyping import Float64

Shape = tuple[int, int]
ONE_PERCENT = 2.0234
"""Above this lies 1 % of the Tracy-Widom law of order 1 (Johnstone 2001, table of Bejan 2005)."""


def bulk_tail(y: npt.ArrayLike, beta: float) -> Float64[Array, "*y"]:
    r"""The share of the m singular values of pure noise that are above y >= 0, in units of s n^{1/2}; shape of y.

    Marchenko & Pastur's law in closed form: with y^2 = 1 + \beta + 2 \beta^{1/2} cos(t) its density is
    (2 / \pi) sin^2(t) / y^2 in t. ValueError for beta outside of (0, 1].

    >>> bulk_tail([0.0, 1.0, 2.0], beta=1.0).round(4).tolist()
    [1.0, 0.391, 0.0]
    """
    y, root = reals("y", y), float(np.sqrt(_aspect(beta)))
    a, b = 1 + root**2, 2 * root
    angle = np.arccos(np.clip((y**2 - a) / b, -1.0, 1.0))
    turned = np.arctan((1 - root) / (1 + root) * np.tan(angle / 2))
    turned = np.where(angle < np.pi, turned, np.pi / 2 if root < 1 else 0.0)
    return np.asarray(2 / np.pi * (a * angle - b * np.sin(angle) - 2 * (1 - root**2) * turned) / b**2)


def bulk_median(beta: float) -> float:
    r"""The median singular value of pure noise in units of s n^{1/2}; \mu_\beta^{1/2} of Gavish & Donoho (2014).

    >>> round(bulk_median(1.0), 4)
    0.8079
    """
    root = float(np.sqrt(_aspect(beta)))
    low, high = 1 - root, 1 + root
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if bulk_tail(middle, beta) > 0.5 else (low, middle)
    return high


def noise_level(sigma: npt.ArrayLike, shape: Shape) -> float:
    r"""The noise's standard deviation s, from the median of the singular values sigma of Y (Gavish & Donoho 2014).

    It needs white noise and a signal of low rank: r spikes move the median by about r / (2 m) of the law. It is wrong
    where most singular values carry signal, where noise differs between rows or columns or is correlated, and where
    entries were rounded, averaged or filled in. ValueError for bad input, and where the median is rounding.
    """
    values, (m, n) = spectrum_values("sigma", sigma), sides(shape)
    if len(values) != m:
        raise ValueError(f"sigma: got {len(values)} values, expected {m}, the smaller side")
    middle = float(np.median(values))
    if middle <= rank_rounding(shape) * values[0]:
        raise ValueError("half of the singular values are zero: no noise can be estimated from them")
    return middle / (float(np.sqrt(n)) * bulk_median(m / n))


def noise_edge(shape: Shape, noise: float, margin: float = 0.0) -> float:
    r"""Where singular values of pure noise end: s (m^{1/2} + n^{1/2}); `margin` is in units of their fluctuations.

    With `margin` t, a share of matrices of pure noise that is the Tracy-Widom law's above t has a singular value above
    the edge: 1 % at ONE_PERCENT (Johnstone 2001, centred as by Ma 2012). ValueError for bad input.

    >>> noise_edge((100, 400), noise=0.1)
    3.0
    """
    (m, n), noise, margin = sides(shape), positive("noise", noise), real("margin", margin)
    if margin == 0:
        return noise * float(np.sqrt(m) + np.sqrt(n))
    roots = np.sqrt(m - 0.5), np.sqrt(n - 0.5)
    centre = sum(roots)
    return noise * float(np.sqrt(centre**2 + margin * centre * (1 / roots[0] + 1 / roots[1]) ** (1 / 3)))


def edge_lambda(shape: Shape, noise: float, depth: int, margin: float = 0.0) -> float:
    r"""The lambda at which m* is the edge of the noise: X* keeps what noise does not explain, and no more.

    [b (L-2)/(L-1)]^{2-2/L} / (L-2) (s n^{1/2})^{2-2/L} with b = 1 + \beta^{1/2}; b s n^{1/2} for depth 2. ValueError
    for bad input, and where it leaves float64's range.

    >>> edge_lambda((400, 400), noise=0.05, depth=3)  # square, depth 3: (s n^(1/2))^(4/3)
    1.0
    """
    with np.errstate(over="ignore", under="ignore"):
        lam = float(critical_lambda(noise_edge(shape, noise, margin), depth))
    if not 0 < lam < np.inf:
        raise ValueError(f"noise = {noise}: lambda of its edge leaves float64's range; rescale the matrix")
    return lam


def seen_value(theta: npt.ArrayLike, beta: float) -> Float64[Array, "*theta"]:
    r"""The singular value of Y that a spike theta >= 0 makes: ((\theta + 1/\theta)(\theta + \beta/\theta))^{1/2}.

    The edge 1 + \beta^{1/2} for spikes up to \beta^{1/4}. Shape of theta. ValueError for bad input.
    """
    theta, beta = reals("theta", theta), _aspect(beta)
    strong = np.maximum(theta, beta**0.25)
    return np.asarray(np.sqrt((strong + 1 / strong) * (strong + beta / strong)))


def spike_of(y: npt.ArrayLike, beta: float) -> Float64[Array, "*y"]:
    """The spike that makes a singular value y, the inverse of `seen_value`; 0 for y up to the edge. Shape of y."""
    y, beta = reals("y", y), _aspect(beta)
    middle = y**2 - beta - 1
    seen = y > 1 + np.sqrt(beta)
    inner = np.sqrt(np.where(seen, middle**2 - 4 * beta, 0.0))
    return np.asarray(np.where(seen, np.sqrt(np.where(seen, middle + inner, 0.0) / 2), 0.0))


def alignment(theta: npt.ArrayLike, beta: float) -> Float64[Array, "*theta"]:
    r"""<u, a> <v, b>: cosines between the singular vectors of Y and those of the spike theta; 0 up to \beta^{1/4}."""
    theta, beta = reals("theta", theta), _aspect(beta)
    square = np.where(theta > beta**0.25, theta, 1.0) ** 2
    found = np.where(theta > beta**0.25, (square**2 - beta) / (square * np.sqrt((square + beta) * (square + 1))), 0.0)
    return np.asarray(found)


def spike_risk(theta: npt.ArrayLike, x: npt.ArrayLike, beta: float) -> Float64[Array, "*broadcast"]:
    r"""||x u v^T - \theta a b^T||_F^2 = x^2 + \theta^2 - 2 x \theta <u, a> <v, b>, in units of n s^2.

    The asymptotic risk of a spike theta whose singular value in Y is replaced by x; spikes add. Both in units of
    s n^{1/2}; they broadcast. ValueError for bad input.
    """
    theta, x = same_shape(theta=reals("theta", theta), x=reals("x", x))
    return np.asarray(x**2 + theta**2 - 2 * x * theta * alignment(theta, beta))


def shrinkage_risk(theta: npt.ArrayLike, beta: float, depth: int, edge: float) -> Float64[Array, "*theta"]:
    r"""`spike_risk` of X* of a depth whose threshold m* is `edge` >= 1 + \beta^{1/2}, in units of s n^{1/2}.

    In these units lambda is that of `critical_lambda(edge, depth)`. Shape of theta. ValueError for bad input.
    """
    depth, edge = depth_number(depth), positive("edge", edge)
    return spike_risk(
        theta, scalar_minimizer(seen_value(theta, beta), depth, float(critical_lambda(edge, depth))), beta
    )


def optimal_shrinkage(y: npt.ArrayLike, beta: float) -> Float64[Array, "*y"]:
    r"""\theta <u, a> <v, b> of each y: the least `spike_risk` (Shabalin & Nobel 2013; Gavish & Donoho 2017).

    Shape of y: ((y^2 - \beta - 1)^2 - 4 \beta)^{1/2} / y above the edge of the noise, 0 up to it.
    """
    y, beta = reals("y", y), _aspect(beta)
    seen = y > 1 + np.sqrt(beta)
    inner = np.where(seen, (y**2 - beta - 1) ** 2 - 4 * beta, 0.0)
    return np.asarray(np.where(seen, np.sqrt(inner) / np.where(seen, y, 1.0), 0.0))


def optimal_threshold(beta: float) -> float:
    r"""The best hard threshold in units of s n^{1/2}, 4 / 3^{1/2} of a square matrix (Gavish & Donoho 2014).

    There a kept spike has the risk of one that is not: y^2 = 2 y \theta <u, a> <v, b>.

    >>> round(optimal_threshold(1.0), 6)
    2.309401
    """
    beta = _aspect(beta)
    return float(np.sqrt(2 * (beta + 1) + 8 * beta / (beta + 1 + np.sqrt(beta**2 + 14 * beta + 1))))


def sides(shape: Shape) -> Shape:
    """(m, n), the smaller side first. ValueError for what is no shape."""
    sizes = sorted(integer(f"shape[{axis}]", size, least=1) for axis, size in enumerate(shape))
    if len(sizes) != 2:
        raise ValueError(f"shape: got {tuple(shape)}, expected two sizes")
    return sizes[0], sizes[1]


def _aspect(beta: float) -> float:
    number = positive("beta", beta)
    if number > 1:
        raise ValueError(f"beta = {number}: expected at most 1, the smaller side over the larger")
    return number
