"""Drawn targets are what their definition says, and belong to their name and seed alone."""

from typing import Any

import numpy as np
import pytest

from dmf.grid.config import validate
from dmf.grid.kinds import SpectrumTarget, with_spectrum
from dmf.grid.seeds import generator
from dmf.grid.targets import TargetMatrix, build_targets


def build(*targets: dict[str, Any], seed: int = 0) -> list[TargetMatrix]:
    grid = {"grid": "x", "seed": seed, "targets": list(targets), "depths": [2], "lambdas": {"relative": [1]}}
    return build_targets(validate(grid, "x.yaml"), "x.yaml")


def gaussian(name: str = "g", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "gaussian", "shape": [3, 5], **more}


def test_gaussian_entries_have_mean_zero_and_the_given_deviation() -> None:
    [target] = build(gaussian(shape=[200, 300], scale=2.5))
    count = target.values.size
    assert abs(target.values.mean()) < 5 * 2.5 / np.sqrt(count)
    assert abs(target.values.std() / 2.5 - 1) < 5 / np.sqrt(2 * count)
    # a fourth moment of 3 deviations^4 tells normal from, say, uniform entries
    assert abs(np.mean(target.values**4) / 2.5**4 - 3) < 5 * np.sqrt(96 / count)


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3), (1, 4)])
def test_a_spectrum_target_has_its_singular_values(shape: tuple[int, int]) -> None:
    wanted = [0.25, 4.0, 1.0][: min(shape)]
    [target] = build({"name": "s", "kind": "spectrum", "shape": list(shape), "singular_values": wanted})
    padded = sorted(wanted, reverse=True) + [0.0] * (min(shape) - len(wanted))
    # QR, two products and the SVD are backward stable: each moves singular values by a few eps of the largest.
    np.testing.assert_allclose(target.singular_values, padded, rtol=0, atol=16 * np.finfo(float).eps * max(wanted))
    assert target.shape == shape


def test_the_bases_of_a_spectrum_target_are_orthonormal_and_uniform() -> None:
    spec = SpectrumTarget(name="s", kind="spectrum", shape=(3, 3), singular_values=[1, 1, 1])
    draws = np.array([with_spectrum(spec, generator("haar", i)) for i in range(2000)])
    np.testing.assert_allclose(draws @ draws.transpose(0, 2, 1), np.tile(np.eye(3), (2000, 1, 1)), atol=1e-14)
    # U V^T is Haar: every entry has mean 0 and variance 1/3 (unfixed signs of QR would break this for one factor)
    assert np.abs(draws.mean(axis=0)).max() < 5 / np.sqrt(3 * 2000)
    assert np.abs(draws.var(axis=0) - 1 / 3).max() < 0.04


def test_bases_have_no_preferred_sign() -> None:
    spec = SpectrumTarget(name="s", kind="spectrum", shape=(2, 2), singular_values=[1])
    draws = np.array([with_spectrum(spec, generator("signs", i)) for i in range(1000)])
    assert 400 < np.count_nonzero(draws[:, 0, 0] > 0) < 600


def test_a_target_depends_on_name_and_seed_only() -> None:
    alone = build(gaussian("g"))[0]
    among = build(gaussian("x"), gaussian("g", label="another label"), gaussian("y"))[1]
    np.testing.assert_array_equal(alone.values, among.values)
    assert alone.fingerprint == among.fingerprint
    assert (alone.label, among.label) == ("g", "another label")
    assert not np.array_equal(alone.values, build(gaussian("h"))[0].values)
    assert not np.array_equal(alone.values, build(gaussian("g"), seed=1)[0].values)


def test_a_job_makes_only_the_targets_it_trains() -> None:
    missing = {"name": "m", "kind": "file", "path": "nowhere.npy"}
    raw = {"grid": "x", "targets": [gaussian("a"), missing, gaussian("b")], "depths": [2]}
    grid = validate({**raw, "lambdas": {"relative": [1]}}, "x")
    assert [target.name for target in build_targets(grid, "x", {"b", "a"})] == ["a", "b"]


@pytest.mark.parametrize(
    "change", [{"scale": 2.0}, {"shape": [5, 3]}, {"name": "h"}, {"kind": "spectrum", "singular_values": [1]}]
)
def test_whatever_changes_a_number_changes_the_fingerprint(change: dict[str, Any]) -> None:
    assert build(gaussian())[0].fingerprint != build({**gaussian(), **change})[0].fingerprint


def test_the_seed_changes_the_fingerprint() -> None:
    assert build(gaussian())[0].fingerprint != build(gaussian(), seed=1)[0].fingerprint
