"""Measured Hessian eigenvalues against predicted ones: values, and counts of negative and zero ones."""

import numpy as np
import xarray as xr


def departure_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The eigenvalue farthest from its prediction, over its tolerance, (cell, start); NaN where one is missing."""
    predicted = evidence["predicted_spectrum"]
    away = abs(evidence["spectrum"] - predicted).where(predicted.notnull(), 0)
    return away.max("eigen", skipna=False) / evidence["spectrum_tolerance"]


def count_ratio(evidence: xr.Dataset, negative: xr.DataArray, zero: xr.DataArray) -> xr.DataArray:
    """How clearly as many eigenvalues as predicted are negative and zero, (cell, start): below 1 they are.

    With `negative` and `zero` (cell,) the predicted numbers: the largest of |e| / tolerance over the eigenvalues that
    should be zero, and of tolerance / |e| over the others, infinite for those with the wrong sign.
    """
    place = xr.DataArray(np.arange(evidence.sizes["eigen"]), dims="eigen")
    values = evidence["spectrum"] / evidence["spectrum_tolerance"]
    level = (place >= negative) & (place < negative + zero)
    ratio = abs(values).where(level, clearance(values.where(place >= negative, -values)))
    return ratio.where(evidence["predicted_spectrum"].notnull(), 0).max("eigen", skipna=False)


def clearance(values: xr.DataArray) -> xr.DataArray:
    """The inverse of values that should be positive, in units of their tolerance: infinite where they are not."""
    return (1 / values).where((values > 0) | values.isnull(), np.inf)
