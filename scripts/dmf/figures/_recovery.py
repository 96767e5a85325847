"""What the figures on recovery share: shares of recovered instances by problem, rank, measurements and method."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from dmf.evidence.wilson import wilson

METHODS = {
    "proximal": "penalty, by proximal steps",
    "factorization": "weight decay, trained layers",
    "factorization, descending": "weight decay, from large λ",
}
KEYS = ["problem", "rank", "method", "depth", "measurements"]


def shares(evidence: xr.Dataset) -> pd.DataFrame:
    """Share of recovered instances, rows KEYS, with Wilson's interval and the degrees of freedom of the rank."""
    table = evidence[["recovered", "degrees_of_freedom"]].to_dataframe().reset_index()
    found = table.groupby(KEYS).agg(
        found=("recovered", "sum"), total=("recovered", "size"), free=("degrees_of_freedom", "first")
    )
    low, high = wilson(found["found"], found["total"])
    return found.assign(share=found["found"] / found["total"], low=low, high=high).reset_index()


def panels(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Problems and ranks, in the order of their study: sensing first."""
    pairs = table[["problem", "rank"]].drop_duplicates()
    return sorted(((str(kind), int(rank)) for kind, rank in pairs.to_numpy()), key=lambda p: (p[0] != "sensing", p[1]))


def depths(table: pd.DataFrame) -> list[int]:
    """Depths of the methods that minimize a penalty."""
    return [int(depth) for depth in np.unique(table["depth"][table["depth"] > 0])]
