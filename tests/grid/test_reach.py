"""What cannot be certified is refused, or said in one line with its key, before anything is trained."""

from copy import deepcopy
from typing import Any

import pytest

from dmf.errors import UserError
from dmf.grid.config import validate
from dmf.grid.reach import out_of_reach
from dmf.grid.targets import build_targets
from small import SMALL


def said(**changes: Any) -> list[str]:
    grid = validate({**deepcopy(SMALL), **changes}, "small.yaml")
    return out_of_reach(grid, build_targets(grid, "small.yaml"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": {"name": "lbfgs"}},
        {"optimizer": {"name": "continuation"}},
        {"optimizer": {"name": "gd"}},
        {"optimizer": {"name": "nesterov"}},
        {"certificate": {"gradient_norm": 1e-4}},
    ],
    ids=str,
)
def test_settings_that_certify_are_passed_over_in_silence(changes: dict[str, Any]) -> None:
    assert said(**changes) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"certificate": {"gradient_norm": 2e-3}}, "certificate.gradient_norm: got 0.002"),
        ({"optimizer": {"name": "lbfgs", "max_iterations": 30}}, "optimizer.max_iterations: got 30"),
        ({"optimizer": {"name": "continuation", "max_iterations": 30}}, "optimizer.max_iterations: got 30"),
        ({"optimizer": {"name": "adam", "step": 0.1}}, "optimizer.name: got adam"),
        ({"optimizer": {"name": "gd", "max_iterations": 20}}, "optimizer.max_iterations: got 20"),
        ({"optimizer": {"name": "nesterov", "step": 1e-9}}, "optimizer.max_iterations: got 100000"),
    ],
    ids=str,
)
def test_a_setting_that_certifies_few_runs_is_one_line_with_its_key(changes: dict[str, Any], key: str) -> None:
    (line,) = said(**changes)
    assert line.startswith(key)
    assert "\n" not in line


@pytest.mark.parametrize("norm", [1e-17, 9e-16, 1e-2, 1.0])
def test_a_certificate_outside_of_what_float64_can_give_is_refused(norm: float) -> None:
    with pytest.raises(UserError, match=r"small\.yaml: certificate\.gradient_norm: got .* expected a number"):
        said(certificate={"gradient_norm": norm})
