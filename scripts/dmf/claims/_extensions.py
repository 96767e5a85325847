"""What claims on the extensions of eq. 2 share: who eligible, and three departures from a closed form."""

import xarray as xr


def is_lowest(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs below which no certified run of the cell lies, (cell, start): the theory does not choose them."""
    lowest: xr.DataArray = evidence["lowest"] == 1
    return lowest.transpose("cell", "start")


def departure(evidence: xr.Dataset, distance: str = "distance") -> xr.DataArray:
    """The largest of the departures in X, F and layer norms, each over its tolerance, (cell, start)."""
    parts = [
        evidence[distance] / evidence["distance_tolerance"],
        abs(evidence["value_gap"]) / evidence["value_tolerance"],
        evidence["norm_gap"] / evidence["norm_tolerance"],
    ]
    worst: xr.DataArray = xr.concat(parts, "part").max("part", skipna=False)
    return worst
