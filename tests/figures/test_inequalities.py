"""The figure of the inequalities shows every certified case at its height, and its control apart from balance."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb

from dmf.figures import _style, load_figure

Study = Callable[[str], tuple[xr.Dataset, xr.Dataset]]


def heights(axes: Axes, colour: str | None = None) -> np.ndarray:
    """Ordinates of all marks, or of those of a colour, sorted."""
    found = [np.empty(0)]
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            face = collection.get_facecolor()[0] if len(collection.get_facecolor()) else collection.get_edgecolor()[0]
            if colour is None or np.allclose(face[:3], to_rgb(colour)):
                found.append(np.asarray(collection.get_offsets())[:, 1])
    return np.sort(np.concatenate(found))


def of_kinds(evidence: xr.Dataset, kinds: tuple[str, ...]) -> xr.Dataset:
    return evidence.isel(cell=np.flatnonzero(evidence["kind"].isin(kinds).values))


def test_every_case_is_a_mark_at_its_own_height(study: Study) -> None:
    evidence, controls = study("inequalities")
    with _style.applied():
        left, right = load_figure("inequalities").compose(evidence, controls, {}).axes
    tilted = of_kinds(evidence, ("tilted on both sides", "tilted on one side"))
    np.testing.assert_allclose(heights(left), np.sort((tilted["gap"] / tilted["least_gap"]).values.ravel()))
    assert heights(left).min() > 1 - 1e-5
    control = of_kinds(controls, ("sheared apart",))
    truth = np.sort((control["gap"] / control["larger"]).values.ravel())
    np.testing.assert_allclose(heights(right, _style.CONTROL), truth)
    assert truth.min() > 1e-12
    moved = of_kinds(evidence, ("balanced", "balanced, deficient", "one layer scaled", "sheared", "unequal powers"))
    assert len(heights(right)) == moved["gap"].size + control["gap"].size
