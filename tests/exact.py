"""50-digit values of the closed forms by code that shares nothing with the package: mpmath, and nothing clever.

Arguments are Python floats, taken as the exact numbers they are; call inside `mp.workdps(50)`.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import mpmath as mp

Real = mp.mpf


def unit(depth: int, lam: float, factor: Real) -> Real:
    """(lam * factor)^{L / (2 (L - 1))}."""
    return mp.power(mp.mpf(lam) * factor, mp.mpf(depth) / (2 * (depth - 1)))


def jump(depth: int, lam: float) -> Real:
    return unit(depth, lam, mp.mpf(depth - 2)) if depth > 2 else mp.mpf(0)


def collapse_threshold(depth: int, lam: float) -> Real:
    return jump(depth, lam) * (depth - 1) / (depth - 2) if depth > 2 else mp.mpf(lam)


def turning_point(depth: int, lam: float) -> Real:
    return unit(depth, lam, mp.mpf(depth - 2) / depth)


def branch_threshold(depth: int, lam: float) -> Real:
    return h(turning_point(depth, lam), depth, lam) if depth > 2 else mp.mpf(lam)


def critical_lambda(sigma: float, depth: int) -> Real:
    if depth == 2:
        return mp.mpf(sigma)
    return mp.power(mp.mpf(sigma) * (depth - 2) / (depth - 1), mp.mpf(2 * (depth - 1)) / depth) / (depth - 2)


def branch_lambda(sigma: float, depth: int) -> Real:
    half = mp.mpf(sigma) / (2 * (depth - 1))
    return half * depth * mp.power(half * (depth - 2), mp.mpf(depth - 2) / depth)


def h(x: Real, depth: int, lam: float) -> Real:
    return x + mp.mpf(lam) * mp.power(x, mp.mpf(2) / depth - 1)


def g(x: Real, m: Real, depth: int, lam: float) -> Real:
    return (m - x) ** 2 + mp.mpf(lam) * depth * mp.power(x, mp.mpf(2) / depth)


def large_root(m: Real, depth: int, lam: float) -> Real:
    """Newton from x = m, where h > m: h is convex there, so it descends to the root and stops at rounding."""
    power, x = mp.mpf(2) / depth - 1, mp.mpf(m)
    while True:
        pull = mp.mpf(lam) * mp.power(x, power)
        step = (x + pull - m) / (1 + power * pull / x)
        x -= step
        if abs(step) <= x * mp.mpf(10) ** (8 - mp.mp.dps):
            return x


def minimizer(m: Real, depth: int, lam: float) -> Real:
    if depth == 2:
        return max(m - mp.mpf(lam), mp.mpf(0))
    return large_root(m, depth, lam) if m > collapse_threshold(depth, lam) else mp.mpf(0)


def minimum_value(sigma: Sequence[Real], depth: int, lam: float) -> Real:
    return mp.fsum(g(minimizer(m, depth, lam), m, depth, lam) for m in sigma)


def layer_norm_sq(sigma: Sequence[Real], depth: int, lam: float) -> Real:
    return mp.fsum(mp.power(minimizer(m, depth, lam), mp.mpf(2) / depth) for m in sigma)


def critical_levels(sigma: Sequence[Real], depth: int, lam: float) -> list[Real]:
    most = sum(m > branch_threshold(depth, lam) for m in sigma)
    kept = [g(large_root(m, depth, lam) if depth > 2 else m - mp.mpf(lam), m, depth, lam) for m in sigma[:most]]
    return [mp.fsum([*kept[:k], *(m**2 for m in sigma[k:])]) for k in range(most + 1)]


def count(widths: Sequence[int]) -> int:
    return sum(widths[k] * widths[k + 1] for k in range(len(widths) - 1))


def hessian_trace(sigma: Sequence[Real], widths: Sequence[int], lam: float) -> Real:
    """eq. 90-92 at layers diag(s): sum over layers of 2 ||W_L ... W_{l+1}||_F^2 ||W_{l-1} ... W_1||_F^2."""
    depth = len(widths) - 1
    s = [mp.power(minimizer(m, depth, lam), mp.mpf(1) / depth) for m in sigma]

    def norm_sq(layers: int, empty: int) -> Real:
        return mp.fsum(value ** (2 * layers) for value in s) if layers else mp.mpf(empty)

    terms = [norm_sq(depth - layer, widths[-1]) * norm_sq(layer - 1, widths[0]) for layer in range(1, depth + 1)]
    return 2 * mp.fsum(terms) + 2 * mp.mpf(lam) * count(widths)


def trace_lower_bound(sigma: Sequence[Real], widths: Sequence[int], lam: float) -> Real:
    depth = len(widths) - 1
    x = [minimizer(m, depth, lam) for m in sigma]
    alpha_sq = layer_norm_sq(sigma, depth, lam)
    bound = 2 * mp.mpf(lam) * count(widths)
    return bound + 2 * depth * mp.fsum(value**2 for value in x) / alpha_sq if any(x) else bound


def scalar_hessian(m: Real, depth: int, lam: float) -> list[Real]:
    """Ascending eigenvalues: J and I span the Hessian 2 lam I + 2 w^{2L-2} J + 2 (x - m) w^{L-2} (J - I)."""
    x, lam = minimizer(m, depth, lam), mp.mpf(lam)
    w = mp.power(x, mp.mpf(1) / depth)
    power = mp.mpf(1) if depth == 2 else w ** (depth - 2)
    square, cross = 2 * power * w**depth, 2 * (x - m) * power
    return sorted([2 * lam + depth * square + (depth - 1) * cross, *[2 * lam - cross] * (depth - 1)])


def hessian_blocks(sigma: Sequence[Real], widths: Sequence[int], lam: float) -> list[Real]:
    """All N eigenvalues at the minimizer, ascending, from the second derivative of F itself: dense, block by block.

    D^T H D = 2 ||X'||^2 + 4 sum_{l > k} <X - M, W_L .. D_l .. D_k .. W_1> + 2 lam ||D||^2 at layers diag(s), where the
    entry (a, b) of a layer meets the entries (a, b) and (b, a) of the others only.
    """
    depth = len(widths) - 1
    x = [minimizer(m, depth, lam) for m in sigma]
    zeros = [mp.mpf(0)] * (max(widths) - len(x))
    s = [mp.power(value, mp.mpf(1) / depth) for value in x] + zeros
    residual = [value - m for value, m in zip(x, sigma, strict=True)] + zeros

    def curvature(one: tuple[int, int, int], other: tuple[int, int, int]) -> Real:
        (high, a, b), (low, c, d) = max(one, other), min(one, other)
        entry = 2 * mp.mpf(lam) if one == other else mp.mpf(0)
        if (a, b) == (c, d) and a < widths[-1] and b < widths[0]:
            entry += 2 * s[a] ** (2 * depth - high - low) * s[b] ** (high + low - 2)
        if (a, b) == (d, c) and high > low:
            entry += 2 * residual[a] * s[a] ** (depth - high + low - 1) * s[b] ** (high - low - 1)
        return entry

    values: list[Real] = []
    for i, j in combinations_with_replacement(range(max(widths)), 2):
        places = [
            (layer, a, b)
            for a, b in dict.fromkeys([(i, j), (j, i)])
            for layer in range(1, depth + 1)
            if a < widths[layer] and b < widths[layer - 1]
        ]
        if places:
            block = mp.matrix([[curvature(one, other) for other in places] for one in places])
            values += list(mp.eigsy(block, eigvals_only=True))
    return sorted(values)
