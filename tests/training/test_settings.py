"""The optimizer settings as configuration sees them."""

import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from dmf.training.settings import GradientDescent, Lbfgs, Optimizer

ADAPTER = TypeAdapter(Optimizer)


def test_the_name_selects_the_optimizer():
    assert ADAPTER.validate_python({"name": "lbfgs", "memory": 5}) == Lbfgs(name="lbfgs", memory=5)
    assert ADAPTER.validate_python({"name": "gd"}) == GradientDescent(name="gd", step=0.01, max_iterations=100_000)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "sgd"},
        {"name": "lbfgs", "step": 0.1},
        {"name": "lbfgs", "memory": 0},
        {"name": "lbfgs", "memory": 101},
        {"name": "lbfgs", "memory": "10"},
        {"name": "lbfgs", "max_iterations": 0},
        {"name": "gd", "step": 0},
        {"name": "gd", "step": float("inf")},
        {"name": "gd", "max_iterations": 1.5},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(settings)


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        Lbfgs(name="lbfgs").memory = 3


def test_configuration_does_not_import_torch():
    code = "import dmf.training.settings, dmf.training.starts, sys; sys.exit('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": ":".join(sys.path)}).returncode
        == 0
    )
