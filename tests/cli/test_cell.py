"""A cell trained again, alone or run by run, has the bits that are stored."""

import numpy as np
import pytest
import xarray as xr

from dmf.cli.cell import train_again
from dmf.errors import UserError
from small import Trained

VALUES = ("objective", "gradient_norm", "end_to_end", "layer_norm_sq", "iterations", "status", "hessian_trace")


def stored(trained: Trained, cell: tuple[str, int, str]) -> xr.Dataset:
    name, depth, label = cell
    (runs,) = [
        runs
        for group, runs in trained.groups.items()
        if group.depth == depth and name in runs["target"].values.tolist()
    ]
    place = {dim: [runs[dim].values.tolist().index(key)] for dim, key in (("target", name), ("lam_label", label))}
    return runs.isel(place)


def cells(trained: Trained) -> list[tuple[str, int, str]]:
    evidence = trained.evidence
    keys = zip(evidence["target"].values, evidence["depth"].values, evidence["lam_label"].values, strict=True)
    every = [(str(name), int(depth), str(label)) for name, depth, label in keys]
    return [every[0], every[len(every) // 2], every[-1]]


def test_a_whole_cell_is_what_is_stored_bit_for_bit(trained: Trained) -> None:
    project = trained.project
    for cell in cells(trained):
        again, before = train_again(project.grid, project.targets, cell), stored(trained, cell)
        for name in VALUES:
            np.testing.assert_array_equal(again[name].values, before[name].values, err_msg=f"{cell} {name}")


def test_one_run_is_what_is_stored_among_all_the_others(trained: Trained) -> None:
    project, cell = trained.project, cells(trained)[1]
    before = stored(trained, cell)
    last = before.isel(start=[-1])
    coordinates = [last[name].values.item() for name in ("scheme", "scale", "draw")]
    again = train_again(project.grid, project.targets, cell, *coordinates)
    assert again.sizes["start"] == 1
    for name in VALUES:
        np.testing.assert_array_equal(again[name].values, last[name].values, err_msg=name)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cell": ("nobody", 2, "0.5c")}, "target: got nobody"),
        ({"cell": ("{name}", 17, "{label}")}, "depth: got 17"),
        ({"cell": ("{name}", "{depth}", "0.123c")}, "lam: got 0.123c"),
        ({"scheme": "magic"}, "scheme: got magic"),
        ({"scale": 77.0}, "scale: got 77.0"),
        ({"draw": 10_000}, "draw: got 10000"),
        ({"draw": -1}, "draw: got -1"),
    ],
)
def test_what_the_grid_has_not_is_refused_naming_what_it_has(
    trained: Trained,
    change: dict,
    complaint: str,  # type: ignore[type-arg]
) -> None:
    name, depth, label = cells(trained)[0]
    known = {"{name}": name, "{depth}": depth, "{label}": label}
    cell = tuple(known.get(part, part) for part in change.pop("cell", (name, depth, label)))
    with pytest.raises(UserError, match=complaint):
        train_again(trained.project.grid, trained.project.targets, cell, **change)
