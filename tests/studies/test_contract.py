"""Studies are found by name, chosen by a grid, and held against their contract."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.schema import DataError
from dmf.dataset.store import DamagedFile, write
from dmf.studies import Settings, load_study, study_names
from dmf.studies.contract import check_study, halves, read_evidence


def dataset() -> xr.Dataset:
    return xr.Dataset(
        {
            "certified": (("cell", "start"), np.ones((3, 2), dtype=np.int8), {"long_name": "certified", "units": "1"}),
            "control": ("cell", np.array([0, 0, 1], dtype=np.int8), {"long_name": "control", "units": "1"}),
        },
        coords={"depth": ("cell", [2, 3, 4], {"long_name": "depth", "units": "1"})},
    )


def test_a_dataset_that_keeps_the_contract_passes_and_splits() -> None:
    check_study(dataset(), "here")
    honest, false = halves(dataset())
    assert honest["depth"].values.tolist() == [2, 3]
    assert false["depth"].values.tolist() == [4]


def other_values(found: xr.Dataset) -> xr.Dataset:
    return found.assign(control=found["control"].copy(data=[0, 2, 1]))


BREACHES: list[tuple[Callable[[xr.Dataset], xr.Dataset], str]] = [
    (lambda found: found.isel(start=0), r"got dimensions \['cell'\], expected cell and start"),
    (lambda found: found.rename(certified="certain"), "expected a variable certified over"),
    (lambda found: found.transpose("start", "cell"), "expected a variable certified over"),
    (lambda found: found.drop_vars("control"), "expected a variable control over"),
    (other_values, "control has other values than 0 and 1"),
    (lambda found: found.assign(extra=("cell", [1, 2, 3])), "extra has no long_name"),
    (lambda found: found.assign_coords(extra=("cell", [1, 2, 3])), "extra has no long_name; dmf.dataset.coordinates"),
    (lambda found: found.assign(extra=("cell", [1, 2, 3], {"long_name": "x"})), "extra has no units; a number without"),
    (lambda found: found.drop_vars("depth"), "no coordinate names"),
]


@pytest.mark.parametrize(("breach", "complaint"), BREACHES)
def test_a_breach_of_the_contract_is_named(breach: Callable[[xr.Dataset], xr.Dataset], complaint: str) -> None:
    with pytest.raises(DataError, match=f"^here: {complaint}"):
        check_study(breach(dataset()), "here")


def test_evidence_made_with_other_settings_is_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "scalar.nc"
    write(dataset().assign_attrs(settings='["scalar", 1]'), path)
    (honest,), false = read_evidence("scalar", [str(path)], str(path), '["scalar", 1]')
    assert (honest.sizes["cell"], false.sizes["cell"]) == (2, 1)
    for other in ('["scalar", 2]', '["hessian", 1]', ""):
        with pytest.raises(DamagedFile, match=r'scalar.nc: made with \["scalar", 1\], expected') as refusal:
            read_evidence("scalar", [str(path)], str(path), other)
        assert refusal.value.path == path


def test_a_study_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError, match="known studies"):
        load_study("nothing")


@pytest.mark.parametrize("name", study_names())
def test_every_study_keeps_the_contract_and_has_controls(
    name: str, study: Callable[[str], tuple[xr.Dataset, xr.Dataset]]
) -> None:
    honest, false = study(name)
    assert honest.sizes["cell"] > 0
    assert false.sizes["cell"] > 0


def test_the_settings_are_those_of_the_grid(small: dict[str, object]) -> None:
    from dmf.grid.config import validate

    assert Settings.of(validate(small, "x")) == Settings(seed=3, gradient_norm=1e-10)
