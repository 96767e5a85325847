"""Arguments of the theory functions: turned into float64 or int, or refused with one line that says why."""

import math
import operator
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def reals(name: str, value: npt.ArrayLike, ndim: int | None = None) -> Array:
    """Return `value` as a finite float64 array, of `ndim` dimensions if given; ValueError otherwise."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected numbers in a full array, got rows of unequal length") from None
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name}: expected real numbers, got {_brief(value)} of dtype {array.dtype}")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name}: expected {ndim} dimension(s), got {array.ndim} (shape {array.shape})")
    _refuse_first(name, array, ~np.isfinite(array), "a finite number")
    return array.astype(np.float64)


def real(name: str, value: npt.ArrayLike) -> float:
    """Return `value` as one finite float; ValueError otherwise."""
    if isinstance(value, float) and math.isfinite(value):
        return float(value)  # what nearly every call brings, ten times as fast
    return float(reals(name, value, ndim=0))


def lam_array(value: npt.ArrayLike) -> Array:
    """Return regularization strengths of any shape, each finite and > 0; ValueError otherwise."""
    array = reals("lam", value)
    _refuse_first("lam", array, array <= 0, "a regularization strength > 0")
    return array


def lam_scalar(value: npt.ArrayLike) -> float:
    """Return one regularization strength, finite and > 0; ValueError otherwise."""
    lam = real("lam", value)
    return lam if lam > 0 else float(lam_array(lam))


def same_shape(**arrays: Array) -> tuple[Array, ...]:
    """Return the named arrays broadcast against each other; ValueError where their shapes do not allow it."""
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"shapes {shapes}: expected shapes that broadcast") from None


def integer(name: str, value: object, least: int) -> int:
    """Return `value` as an int >= `least`; ValueError otherwise (floats and booleans too)."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"{name} = {_brief(value)}: expected an integer >= {least}")
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} = {_brief(value)}: expected an integer >= {least}") from None
    if number < least:
        raise ValueError(f"{name} = {number}: expected an integer >= {least}")
    return number


def depth_number(value: object) -> int:
    """Return the number of layers, an int >= 2; ValueError otherwise."""
    return integer("depth", value, least=2)


def target_matrix(value: npt.ArrayLike, name: str = "target") -> Array:
    """Return a finite matrix with at least one row and one column; ValueError otherwise."""
    matrix = reals(name, value, ndim=2)
    if matrix.size == 0:
        raise ValueError(f"{name}: expected at least one row and one column, got shape {matrix.shape}")
    return matrix


def layer_widths(value: Sequence[int], target: Array | None = None) -> tuple[int, ...]:
    """Return (d_0, ..., d_L) that fits `target` and cuts no rank; ValueError otherwise."""
    widths = any_widths(value, target)
    rank_needed = min(widths[0], widths[-1])
    for layer, width in enumerate(widths):
        if width < rank_needed:
            raise ValueError(
                f"widths[{layer}] = {width}: expected at least min(d_0, d_L) = {rank_needed}; a smaller hidden width"
                " cuts the rank of X, and a tie at the cut is a second exceptional set: see bottleneck_minimizer"
            )
    return widths


def any_widths(value: Sequence[int], target: Array | None = None) -> tuple[int, ...]:
    """Return (d_0, ..., d_L) that fits `target`, a bottleneck among them or not; ValueError otherwise."""
    if not hasattr(value, "__iter__"):
        raise ValueError(f"widths = {_brief(value)}: expected the list [d_0, ..., d_L]")
    widths = tuple(integer(f"widths[{layer}]", width, least=1) for layer, width in enumerate(value))
    if len(widths) < 3:
        raise ValueError(f"widths = {list(widths)}: expected at least 3 entries [d_0, ..., d_L], depth >= 2")
    if target is not None and target.shape != (widths[-1], widths[0]):
        raise ValueError(
            f"widths = {list(widths)}: expected d_0 = {target.shape[1]} and d_L = {target.shape[0]}"
            f" for a target of shape {target.shape}"
        )
    return widths


def layer_list(value: Sequence[npt.ArrayLike]) -> list[Array]:
    """Return W_1, ..., W_L as float64 matrices whose product is defined, L >= 2; ValueError otherwise."""
    if not hasattr(value, "__iter__"):
        raise ValueError(f"layers = {_brief(value)}: expected the list [W_1, ..., W_L]")
    layers = [target_matrix(layer, name=f"layers[{index}]") for index, layer in enumerate(value)]
    if len(layers) < 2:
        raise ValueError(f"layers: expected at least 2 matrices W_1, ..., W_L, got {len(layers)}")
    for index in range(1, len(layers)):
        rows, columns = layers[index - 1].shape[0], layers[index].shape[1]
        if columns != rows:
            raise ValueError(f"layers[{index}] has {columns} columns: expected {rows}, the rows of layers[{index - 1}]")
    return layers


def spectrum_values(name: str, value: npt.ArrayLike) -> Array:
    """Return singular values as a non-increasing vector of numbers >= 0; ValueError otherwise."""
    sigma = reals(name, value, ndim=1)
    _refuse_first(name, sigma, sigma < 0, "a singular value >= 0")
    _refuse_first(name, sigma, np.append(False, np.diff(sigma) > 0), "non-increasing singular values")
    return sigma


def kept_number(value: object, most: int) -> int:
    """Return the number of singular values kept at a level, 0 <= kept <= `most`; ValueError otherwise."""
    kept = integer("kept", value, least=0)
    if kept > most:
        raise ValueError(
            f"kept = {kept}: expected at most {most}, the number of singular values above branch_threshold"
        )
    return kept


def _refuse_first(name: str, array: Array, bad: npt.NDArray[np.bool_], expected: str) -> None:
    if np.count_nonzero(bad):  # a third of the time of any()
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f"[{', '.join(map(str, index))}]" if index else ""
        raise ValueError(f"{name}{place} = {array[index]}: expected {expected}")


def _brief(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
