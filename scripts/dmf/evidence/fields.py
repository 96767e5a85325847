"""The fields of evidence: one table of their names, dimensions and texts, which is also how code reads them.

`Evidence(dataset).radius` is `dataset["radius"]`, but an editor completes it and mypy refuses a name that is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple, get_args, get_type_hints

import xarray as xr


class Field(NamedTuple):
    """What a field holds: its dimensions, and its text, the long_name in every file. All fields are dimensionless."""

    dims: tuple[str, ...]
    text: str


OF_CELL, OF_RUN = ("cell",), ("cell", "start")


class Evidence:
    """The fields of a dataset of evidence, by name. Annotations with a Field are the table; the others coordinates."""

    __slots__ = ("_dataset",)

    target: xr.DataArray
    lam_label: xr.DataArray
    group: xr.DataArray
    depth: xr.DataArray
    scheme: xr.DataArray
    scale: xr.DataArray
    draw: xr.DataArray

    sigma: Annotated[xr.DataArray, Field(("cell", "singular"), "singular values of the target")]

    lam: Annotated[xr.DataArray, Field(OF_CELL, "regularization parameter lambda")]
    relative: Annotated[xr.DataArray, Field(OF_CELL, "lambda in units of lambda_c(sigma_1, L)")]
    branch: Annotated[
        xr.DataArray, Field(OF_CELL, "lambda in units of lambda_s(sigma_1, L), where the nonzero local minimum ends")
    ]
    sigma_1: Annotated[xr.DataArray, Field(OF_CELL, "spectral norm of the target")]
    parameters: Annotated[xr.DataArray, Field(OF_CELL, "number of parameters N")]
    exceptional_distance: Annotated[xr.DataArray, Field(OF_CELL, "smallest |sigma_i - m*| / m*")]
    degenerate_distance: Annotated[
        xr.DataArray, Field(OF_CELL, "smallest |sigma_i - m_loc| / m_loc; at 0 there are non-strict saddles (eq. 79)")
    ]
    gradient_separation: Annotated[
        xr.DataArray,
        Field(OF_CELL, "gradient norm that tells critical points apart that nearly coincide; 0 at degenerate ones"),
    ]
    level_separation: Annotated[
        xr.DataArray, Field(OF_CELL, "distance of the nearest other critical level from the minimum of F")
    ]
    gradient_tolerance: Annotated[xr.DataArray, Field(OF_CELL, "largest certified gradient norm")]
    minimum: Annotated[xr.DataArray, Field(OF_CELL, "closed-form minimum of F")]
    minimum_tolerance: Annotated[
        xr.DataArray, Field(OF_CELL, "largest F - min F that a run certified at the minimum may have")
    ]
    kept_at_minimum: Annotated[xr.DataArray, Field(OF_CELL, "rank of the closed-form minimizer X*")]
    predicted_norm: Annotated[xr.DataArray, Field(OF_CELL, "||X*||_F")]
    predicted_layer_norm_sq: Annotated[
        xr.DataArray, Field(OF_CELL, "squared Frobenius norm alpha^2 of each layer of a minimizer")
    ]
    predicted_trace: Annotated[xr.DataArray, Field(OF_CELL, "trace of the Hessian at a minimizer")]
    trace_bound: Annotated[xr.DataArray, Field(OF_CELL, "lower bound of Theorem 15")]
    attains: Annotated[
        xr.DataArray, Field(OF_CELL, "1 where the trace at minimizers equals the bound: X* = 0, or d_0 = d_L = 1")
    ]
    mu: Annotated[
        xr.DataArray,
        Field(OF_CELL, "smallest positive Hessian eigenvalue at a minimizer; 0 where the minimizer is degenerate"),
    ]
    factorized: Annotated[
        xr.DataArray, Field(OF_CELL, "F at one random factorization of X* into balanced, aligned layers")
    ]
    factorized_gradient: Annotated[xr.DataArray, Field(OF_CELL, "gradient norm at that factorization")]
    factorized_tolerance: Annotated[xr.DataArray, Field(OF_CELL, "what rounding allows for that gradient norm")]

    status: Annotated[xr.DataArray, Field(OF_RUN, "why training ended")]
    certified: Annotated[xr.DataArray, Field(OF_RUN, "1 where the gradient norm is within tolerance")]
    objective: Annotated[xr.DataArray, Field(OF_RUN, "objective F at the final point")]
    gradient_norm: Annotated[xr.DataArray, Field(OF_RUN, "gradient norm at the final point")]
    iterations: Annotated[xr.DataArray, Field(OF_RUN, "iterations of the optimizer")]
    kept: Annotated[
        xr.DataArray, Field(OF_RUN, "number k of leading singular values kept; -1 where no critical level fits")
    ]
    level_gap: Annotated[xr.DataArray, Field(OF_RUN, "F minus the critical value of level k")]
    level_tolerance: Annotated[xr.DataArray, Field(OF_RUN, "largest gap that the gradient norm explains")]
    minimal: Annotated[
        xr.DataArray, Field(OF_RUN, "1 where the run is certified and F is no more than the minimum plus its tolerance")
    ]
    radius: Annotated[
        xr.DataArray,
        Field(
            OF_RUN, "bound on the distance to the minimizers from the gradient norm; infinite where it does not hold"
        ),
    ]
    distance: Annotated[xr.DataArray, Field(OF_RUN, "||X - X*||_F")]
    distance_tolerance: Annotated[xr.DataArray, Field(OF_RUN, "what radius allows for ||X - X*||_F")]
    end_to_end_norm: Annotated[xr.DataArray, Field(OF_RUN, "||X||_F")]
    layer_norm_sq_min: Annotated[xr.DataArray, Field(OF_RUN, "smallest squared layer norm of the run")]
    layer_norm_sq_max: Annotated[xr.DataArray, Field(OF_RUN, "largest squared layer norm of the run")]
    layer_norm_tolerance: Annotated[xr.DataArray, Field(OF_RUN, "what radius allows for a squared layer norm")]
    misalignment: Annotated[
        xr.DataArray,
        Field(
            OF_RUN, "size of the antisymmetric parts of X M^T and X^T M in units of sigma_1; 0 where bases are shared"
        ),
    ]
    schatten: Annotated[xr.DataArray, Field(OF_RUN, "Schatten objective at X (Theorem 3)")]
    schatten_rounding: Annotated[xr.DataArray, Field(OF_RUN, "what rounding allows for F minus the Schatten objective")]
    imbalance: Annotated[xr.DataArray, Field(OF_RUN, "largest ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F over l")]
    singular_value_gap: Annotated[
        xr.DataArray, Field(OF_RUN, "largest distance over l between the squared singular values of W_(l+1) and W_l")
    ]
    imbalance_slope: Annotated[xr.DataArray, Field(OF_RUN, "what a unit of the gradient norm allows for the imbalance")]
    imbalance_floor: Annotated[xr.DataArray, Field(OF_RUN, "what rounding allows for the imbalance")]
    hessian_trace: Annotated[xr.DataArray, Field(OF_RUN, "trace of the Hessian at the final point")]
    trace_tolerance: Annotated[xr.DataArray, Field(OF_RUN, "what radius allows for the trace")]

    def __init__(self, dataset: xr.Dataset) -> None:
        """A view of the dataset: nothing is copied, and it may have further variables."""
        self._dataset = dataset

    if not TYPE_CHECKING:  # a checker knows the annotations above, and no other name

        def __getattr__(self, name: str) -> xr.DataArray:
            """The field of that name. Raises AttributeError for a name that is no field, KeyError for a missing one."""
            if name not in NAMES:
                raise AttributeError(f"evidence has no field {name!r}")
            return self._dataset[name]


_HINTS = get_type_hints(Evidence, include_extras=True)
NAMES = frozenset(_HINTS)
FIELDS: dict[str, Field] = {name: get_args(hint)[1] for name, hint in _HINTS.items() if len(get_args(hint)) == 2}
CELL_FIELDS = {name: field.text for name, field in FIELDS.items() if field.dims == OF_CELL}
RUN_FIELDS = {name: field.text for name, field in FIELDS.items() if field.dims == OF_RUN}
