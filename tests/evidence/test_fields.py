"""Fields of evidence are read by name, and the table of names is what certified runs have."""

import pytest
import xarray as xr

from dmf.evidence.fields import FIELDS, NAMES, Evidence
from small import Trained


def test_the_table_has_the_fields_dimensions_and_texts_of_certified_runs(trained: Trained) -> None:
    evidence = trained.evidence
    assert [*evidence.data_vars, "lam", "relative"] == sorted(FIELDS, key=lambda name: name in ("lam", "relative"))
    assert set(evidence.variables) == NAMES
    for name, field in FIELDS.items():
        assert evidence[name].dims == field.dims, name
        assert evidence[name].attrs == {"long_name": field.text, "units": "1"}, name


def test_a_field_is_the_variable_of_that_name(trained: Trained) -> None:
    for name in NAMES:
        assert getattr(Evidence(trained.evidence), name).identical(trained.evidence[name])


def test_other_names_are_refused_and_so_are_fields_that_a_dataset_lacks() -> None:
    with pytest.raises(AttributeError, match="evidence has no field 'raduis'"):
        _ = Evidence(xr.Dataset({"raduis": 1})).raduis  # type: ignore[attr-defined]
    with pytest.raises(KeyError, match="radius"):
        _ = Evidence(xr.Dataset()).radius
