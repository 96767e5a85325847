"""What the coordinates of all files mean: one table of texts, which become their long names. All are dimensionless."""

from __future__ import annotations

import xarray as xr

COORDINATES = {
    "target": "name of the target",
    "lam_label": "lambda as configured; a trailing c means units of lambda_c",
    "lam": "regularization parameter lambda",
    "relative": "lambda in units of lambda_c(sigma_1, L)",
    "depth": "number of layers L",
    "group": "depth and widths",
    "widths": "widths d_0, ..., d_L",
    "shape": "rows and columns of the target",
    "layer": "layer l, counted from the input",
    "scheme": "how the start was drawn",
    "scale": "size of the start; of a layer, in units of sigma_1^(1/L)",
    "draw": "index of the draw in its series",
    "number": "index of the run or case in its cell",
    "kind": "kind of the case; of a control, what is the matter with it",
    "claim": "name of the claim",
    "branches": "number of parallel branches",
    "optimizer": "how it was trained",
    "method": "how the problem was solved",
    "problem": "kind of the problem",
    "penalty": "penalty of the singular values",
    "inequality": "inequality that is checked",
    "inputs": "kind of the inputs",
    "form": "form of the objective",
    "rank": "rank of the true matrix",
    "measurements": "number of measurements",
    "m": "scalar to factorize",
    "sign": "sign of the scalar",
    "strength": "size of the scalar in units of an exceptional scalar or of the threshold",
    "at": "the exceptional scalar or threshold whose neighbourhood is searched",
    "first": "first singular value in units of an exceptional scalar or of the threshold",
    "second": "second singular value in the same units",
    "gap": "half the distance between the singular values on both sides of the cut",
    "m_star": "exceptional scalar m*",
    "from_eps": "smaller end of the window, in units of m*",
    "to_eps": "larger end of the window, in units of m*",
    "pattern": "index of the signs of the factors",
    "roots": "root of the stationarity condition that each singular value takes",
    "gauge": "index of the random factorization of the same product",
    "end": "side from which the threshold is bracketed",
    "size": "distance moved from the minimizers",
    "run": "how the run was made",
    "after": "number of steps",
    "time": "time of the gradient flow",
    "scan": "index of the scale of the start",
    "string": "index of the string",
    "image": "index of the point of a string",
    "spike": "size of the spike, in units of the noise's standard deviation times the root of the larger side",
    "curve_spike": "the same, of a point of a curve",
    "t": "place on the straight line between two minimizers",
}


def described(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with a long name, and for numbers a unit, of every coordinate of the table that has none."""
    for name, coordinate in dataset.coords.items():
        if str(name) in COORDINATES:
            texts = {"long_name": COORDINATES[str(name)]} | ({} if coordinate.dtype.kind in "OUT" else {"units": "1"})
            coordinate.attrs.update(texts | coordinate.attrs)
    return dataset
