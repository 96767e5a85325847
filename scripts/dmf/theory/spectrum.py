r"""All N Hessian eigenvalues of the matrix problem at its aligned critical points, from small blocks.

In the singular bases every layer is diag(s), s_i = x_i^{1/L}, and the Hessian couples the entry (i, j) of a
layer's perturbation only with the entries (i, j) and (j, i) of all layers: one block per unordered pair. With
R_i = x_i - \sigma_i, entries of equal position in layers l and k have curvature 2 s_i^{2L-l-k} s_j^{l+k-2},
and (i, j) in layer l with (j, i) in layer k < l has 2 R_i s_i^{L-1-(l-k)} s_j^{l-k-1}; 2 \lambda is added on
the diagonal. Where s_j = 0 the blocks fall apart into 1x1 and 2x2 pieces, so that only pairs of kept singular
values need an eigenvalue solver.

All minimizers with the same X lie on one orbit of an isometric symmetry of F, so they share this spectrum.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, integer, lam_scalar, layer_widths, reals, target_matrix
from dmf.theory.matrix import level_singular_values, parameter_count, singular_values
from dmf.theory.scalar import collapse_threshold

_CHUNK_FLOATS = 2**18  # blocks solved at a time: 2 MiB, small enough for a processor's cache
_ZERO_MODE = 64 * float(np.finfo(np.float64).eps)  # rounding leaves zero modes below 1.1 eps of the largest value


def hessian_spectrum(target: npt.ArrayLike, widths: Sequence[int], lam: float, kept: int | None = None) -> Array:
    """Return all N eigenvalues of the Hessian of F at the level-`kept` critical point, ascending, shape (N,).

    kept = None is the global minimizer; other levels are described in `level_singular_values`. Dimensionless.
    ValueError for bad input, or `kept` above the number of singular values > m_loc.
    """
    target = target_matrix(target)
    d, lam = layer_widths(widths, target), lam_scalar(lam)
    depth = len(d) - 1
    sigma = singular_values(target)
    if kept is None:
        kept = int(np.count_nonzero(sigma > collapse_threshold(depth, lam)))
    return aligned_spectrum(level_singular_values(sigma, depth, lam, kept), sigma, kept, d, lam)


def aligned_spectrum(x: Array, sigma: Array, kept: int, d: tuple[int, ...], lam: float) -> Array:
    """All N eigenvalues, ascending, where X has singular values x on axes with sigma, both of shape (min(d_0, d_L),).

    The first `kept` axes hold positive critical points of g, the others zero; sigma need not be sorted.
    """
    depth = len(d) - 1
    s = x ** (1 / depth)
    # R_i s_i^{L-2}, the strength of a transposed pair: stationarity makes it -lam on kept values, exactly
    coupling = np.where(np.arange(sigma.size) < kept, -lam, -sigma * (1.0 if depth == 2 else 0.0))
    curvatures = [
        _diagonal_blocks(s, coupling, depth),
        *_kept_pairs(s[:kept], lam, depth),
        _exchanges(coupling, kept, d),
        _dropped_pairs(s, sigma, kept, depth),
        _outer_entries(s, d),
    ]
    coupled = np.concatenate(curvatures)
    flat = np.zeros(parameter_count(d) - coupled.size)  # entries that only the regularization sees
    return np.sort(np.concatenate([coupled, flat])) + 2 * lam


def smallest_positive_eigenvalue(spectrum: npt.ArrayLike) -> float:
    """Return mu, the smallest eigenvalue that is no zero mode: above 64 * 2.2e-16 of the largest |.|.

    Near a minimizer ||grad F|| / mu bounds the distance to the minimizers. A true eigenvalue under that
    threshold cannot be told from a zero mode and is passed over. ValueError if none is above, or bad input.
    """
    values = reals("spectrum", spectrum, ndim=1)
    largest = float(np.max(np.abs(values), initial=0.0))
    positive = values[values > _ZERO_MODE * largest]
    if positive.size == 0:
        raise ValueError(f"spectrum of {values.size} values: expected a positive one besides the zero modes")
    return float(positive.min())


def zero_modes(widths: Sequence[int], rank: int) -> int:
    """Dimension of the orbit of minimizers with rank X = r: sum over hidden layers of d_l r - r (r + 1) / 2.

    Equals the number of zero Hessian eigenvalues at a minimizer (for depth 2 unless a sigma_i equals lam).
    ValueError for bad widths, or a rank above min(d_0, d_L).
    """
    d, rank = layer_widths(widths), integer("rank", rank, least=0)
    if rank > min(d[0], d[-1]):
        raise ValueError(f"rank = {rank}: expected at most min(d_0, d_L) = {min(d[0], d[-1])}")
    return sum(width * rank - rank * (rank + 1) // 2 for width in d[1:-1])


def _diagonal_blocks(s: Array, coupling: Array, depth: int) -> Array:
    """Pairs i = j: 2 s^{2L-2} in every entry plus 2 R s^{L-2} off the diagonal: two distinct eigenvalues."""
    once = 2 * depth * s ** (2 * depth - 2) + 2 * (depth - 1) * coupling
    return np.concatenate([once, np.repeat(-2 * coupling, depth - 1)])


def _kept_pairs(s: Array, lam: float, depth: int) -> Iterator[Array]:
    """Pairs i < j with s_i, s_j > 0, a chunk at a time.

    Swapping (l; i, j) with (L + 1 - l; j, i) leaves the 2L x 2L block unchanged, so it splits into even and
    odd halves 2 (v v^T +- H), L x L, v_l = s_i^{L-l} s_j^{l-1}, where H_{lk} depends on t = l + k - L - 1:
    -lam (s_j / s_i)^{t-1} for t > 0, -lam (s_i / s_j)^{-t-1} for t < 0, 0 for t = 0.
    """
    first, second = np.triu_indices(s.size, k=1)
    layer = np.arange(depth)
    t = layer[:, None] + layer - (depth - 1)
    chunk = max(1, _CHUNK_FLOATS // (2 * depth * depth))
    for start in range(0, first.size, chunk):
        s_i, s_j = s[first[start : start + chunk], None], s[second[start : start + chunk], None]
        v = s_i ** layer[::-1] * s_j**layer
        ratio_powers = (s_j / s_i) ** layer[:-1]
        middle = np.zeros_like(s_i)
        by_t = -lam * np.concatenate([1 / ratio_powers[:, ::-1], middle, ratio_powers], axis=1)
        hankel = by_t[:, t + depth - 1]
        outer = v[:, :, None] * v[:, None, :]
        yield 2 * np.linalg.eigvalsh(np.stack([outer + hankel, outer - hankel])).ravel()


def _exchanges(coupling: Array, kept: int, d: tuple[int, ...]) -> Array:
    """Return +-2 R_i s_i^{L-2}: (h + 1; i, j) with (h; j, i), for each hidden h and j > i with s_j = 0."""
    i = np.arange(coupling.size)
    partners = np.sum([width - np.maximum(kept, i + 1) for width in d[1:-1]], axis=0)
    half = np.repeat(2 * coupling, partners)
    return np.concatenate([half, -half])


def _outer_entries(s: Array, d: tuple[int, ...]) -> Array:
    """Return 2 s_i^{2L-2}: (1; i, j) or (L; j, i), for each j between min(d_0, d_L) and max(d_0, d_L)."""
    return np.repeat(2 * s ** (2 * len(d) - 4), abs(d[0] - d[-1]))


def _dropped_pairs(s: Array, sigma: Array, kept: int, depth: int) -> Array:
    """Return 2 s_i^{2L-2} +- 2 R_j s_i^{L-2}: (1; i, j) with (L; j, i), i < j <= min(d_0, d_L), s_j = 0."""
    first, second = np.triu_indices(s.size, k=1)
    dropped = second >= kept
    s_i, sigma_j = s[first[dropped]], sigma[second[dropped]]
    shift = 2 * sigma_j * s_i ** (depth - 2)
    return np.concatenate([2 * s_i ** (2 * depth - 2) - shift, 2 * s_i ** (2 * depth - 2) + shift])
