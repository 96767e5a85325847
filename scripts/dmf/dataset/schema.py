"""The data contract: which variables a file of runs holds, over which dimensions, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.coordinates import described
from dmf.errors import UserError
from dmf.grid.cells import Group, Series
from dmf.grid.targets import TargetMatrix
from dmf.training.result import Runs
from dmf.training.settings import Status

if TYPE_CHECKING:
    from jaxtyping import Float64

SCHEMA_VERSION = 2
LACKS = "missing_runs"  # attribute of a file that has some: how many
MISSING = -1  # status of a run that was wanted and is not there; training ends with none such
CELL = ("target", "lam_label", "start")
KINDS = {"f": "float64", "i": "a signed integer type", "U": "text"}


class DataError(UserError):
    """A file that is damaged, foreign or disagrees with its neighbours."""


@dataclass(frozen=True)
class Variable:
    """One variable of the contract."""

    dims: tuple[str, ...]
    kind: str
    symbol: str
    long_name: str
    units: str = "1"
    required: bool = True


RUN_VARIABLES = {
    "matrix": Variable(("target", "row", "col"), "f", "M", "target matrix"),
    "target_fingerprint": Variable(("target",), "U", "", "fingerprint of the target's definition"),
    "lam": Variable(("target", "lam_label"), "f", "lambda", "regularization parameter"),
    "gradient_tolerance": Variable(("target",), "f", "", "largest certified gradient norm"),
    "scheme": Variable(("start",), "U", "", "how the start was drawn"),
    "scale": Variable(("start",), "f", "", "size of a layer of the start in units of sigma_1^(1/L)"),
    "draw": Variable(("start",), "i", "", "index of the draw in its series"),
    "objective": Variable(CELL, "f", "F", "objective at the final point"),
    "gradient_norm": Variable(CELL, "f", "||grad F||", "norm of the gradient at the final point"),
    "iterations": Variable(CELL, "i", "", "iterations of the optimizer"),
    "evaluations": Variable(CELL, "i", "", "evaluations of the objective and its gradient"),
    "status": Variable(CELL, "i", "", "why training ended"),
    "end_to_end": Variable((*CELL, "row", "col"), "f", "X", "end-to-end matrix W_L...W_1"),
    "singular_values": Variable((*CELL, "singular"), "f", "x_i", "singular values of the end-to-end matrix"),
    "layer_norm_sq": Variable((*CELL, "layer"), "f", "||W_l||_F^2", "squared Frobenius norm of a layer"),
    "imbalance": Variable(CELL, "f", "", "largest ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F over l"),
    "hessian_trace": Variable(CELL, "f", "tr", "trace of the Hessian of F at the final point"),
    "singular_value_gap": Variable(
        CELL, "f", "", "largest distance over l between the squared singular values of W_(l+1) and of W_l"
    ),
    "layer_spectral_norm": Variable(CELL, "f", "", "largest spectral norm of a layer"),
}


@dataclass(frozen=True)
class Block:
    """What a dataset's runs are runs of: targets x lambdas x starts of one group. Dimensionless."""

    group: Group
    targets: Sequence[TargetMatrix]
    labels: Sequence[str]
    lam: Float64[NDArray[np.float64], "target lam"]
    """(target, lam_label)"""
    gradient_tolerance: Float64[NDArray[np.float64], " target"]
    """(target,) the largest certified gradient norm"""
    starts: Sequence[tuple[Series, int]]


def runs_dataset(block: Block, runs: Runs, *, layers: bool = False) -> xr.Dataset:
    """Runs of a block as a labelled dataset; their records are in C order over (target, lam_label, start)."""
    cells = (len(block.targets), len(block.labels), len(block.starts))

    def over_cells(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return values.reshape(*cells, *values.shape[1:])

    values: dict[str, object] = {
        "matrix": np.stack([target.values for target in block.targets]),
        "target_fingerprint": np.array([target.fingerprint for target in block.targets], dtype=object),
        "lam": block.lam,
        "gradient_tolerance": block.gradient_tolerance,
        "scheme": np.array([series.scheme for series, _ in block.starts], dtype=object),
        "scale": np.array([series.scale for series, _ in block.starts]),
        "draw": np.array([index for _, index in block.starts], dtype=np.int64),
        "objective": over_cells(runs.objective),
        "gradient_norm": over_cells(runs.gradient_norm),
        "iterations": over_cells(runs.iterations.astype(np.int32)),
        "evaluations": over_cells(runs.evaluations.astype(np.int32)),
        "status": over_cells(runs.status.astype(np.int8)),
        "end_to_end": over_cells(runs.end_to_end),
        "singular_values": over_cells(runs.singular_values),
        "layer_norm_sq": over_cells(runs.layer_norm_sq),
        "imbalance": over_cells(runs.imbalance),
        "hessian_trace": over_cells(runs.hessian_trace),
        "singular_value_gap": over_cells(runs.singular_value_gap),
        "layer_spectral_norm": over_cells(runs.layer_spectral_norm),
    }
    variables = {name: (RUN_VARIABLES[name].dims, data) for name, data in values.items()}
    for number, layer in enumerate(runs.layers if layers else (), start=1):
        variables[f"layer_{number}"] = ((*CELL, f"width_{number}", f"width_{number - 1}"), over_cells(layer))
    dataset = xr.Dataset(
        variables,
        coords={
            "target": np.array([target.name for target in block.targets], dtype=object),
            "lam_label": np.array(block.labels, dtype=object),
            "layer": np.arange(1, block.group.depth + 1),
            "depth": block.group.depth,
        },
        attrs={"schema_version": SCHEMA_VERSION, "widths": list(block.group.widths)},
    )
    return describe(dataset)


def describe(dataset: xr.Dataset) -> xr.Dataset:
    """Make coordinates of what names a run; attach long names, units and symbols (CF conventions) to every variable."""
    relative = [float(label[:-1]) if label.endswith("c") else np.nan for label in dataset["lam_label"].values.tolist()]
    dataset = dataset.assign_coords(relative=("lam_label", relative)).set_coords(["lam", "scheme", "scale", "draw"])
    for name, variable in RUN_VARIABLES.items():
        attributes = {"long_name": variable.long_name}
        if variable.kind != "U":
            attributes["units"] = variable.units
        if variable.symbol:
            attributes["symbol"] = variable.symbol
        dataset[name].attrs.update(attributes)
    for key in dataset.data_vars:
        if str(key).startswith("layer_") and key not in RUN_VARIABLES:
            number = str(key).removeprefix("layer_")
            dataset[key].attrs.update(long_name=f"layer W_{number}", units="1", symbol=f"W_{number}")
    dataset["status"].attrs.update(
        flag_values=np.array([MISSING, *(s.value for s in Status)], dtype=np.int8),
        flag_meanings=" ".join(["missing", *(s.name.lower() for s in Status)]),
    )
    dataset["relative"].attrs.update(long_name="lambda in units of lambda_c, where it is configured so", units="1")
    return described(dataset)


def check_runs(dataset: xr.Dataset, where: str) -> None:
    """Hold a dataset against the contract. Raises DataError naming the first variable that breaks it."""
    version = dataset.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(f"{where}: got schema version {version}, expected {SCHEMA_VERSION}; train it again")
    for name, variable in RUN_VARIABLES.items():
        if name not in dataset:
            raise DataError(f"{where}: variable {name} is missing; the file is not a file of runs, or damaged")
        found = dataset[name]
        if found.dims != variable.dims:
            raise DataError(f"{where}: {name} has dimensions {found.dims}, expected {variable.dims}")
        kind = "U" if found.dtype.kind in "OUT" else found.dtype.kind
        if kind != variable.kind or (kind == "f" and found.dtype != np.float64):
            raise DataError(f"{where}: {name} has type {found.dtype}, expected {KINDS[variable.kind]}")
    widths = [int(d) for d in np.atleast_1d(dataset.attrs.get("widths", []))]
    if len(widths) < 3:
        raise DataError(f"{where}: got widths {widths}, expected d_0, ..., d_L of at least two layers; train it again")
    smaller = min(widths[0], widths[-1])
    expected = {"row": widths[-1], "col": widths[0], "singular": smaller, "layer": len(widths) - 1}
    for dim, size in expected.items():
        if dataset.sizes[dim] != size:
            raise DataError(f"{where}: dimension {dim} is {dataset.sizes[dim]}, but widths {widths} say {size}")
