from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf import theory
from dmf.dataset.targets import targets_dataset
from dmf.evidence.cells import cell_facts
from dmf.evidence.controls import EXCEPTIONAL, EXCEPTIONAL_SCALAR, ORDINARY, STOPPED
from dmf.evidence.fields import CELL_FIELDS
from dmf.figures import FIGURES
from dmf.grid.cells import Group
from dmf.grid.targets import TargetMatrix
from dmf.training.settings import Status

Halves = tuple[xr.Dataset, xr.Dataset]
Study = Callable[[str], Halves]
TARGETS = targets_dataset(
    [
        TargetMatrix("first", "1", "file", "f", np.diag([3.0, 1.7, 0.4]), ("a", "$b", "c_{"), ("x", "$y$", r"\alpha")),
        TargetMatrix("second", "2", "gaussian", "g", np.diag([2.0, 0.9])),
    ],
    seed=0,
)
SCALES = (0.5, 2.0)
DRAWS = 2
RADIUS = 1e-9
MOST_SINGULAR = 5


def made_up_cell(name: str, sigma: list[float], depth: int, label: str) -> xr.Dataset:
    """Evidence of a diagonal target: true closed forms, and runs that a test invented around them.

    The first start ends at zero, which is spurious below lambda_c; the others within RADIUS of the minimizer.
    """
    matrix = np.diag(sigma)
    group = Group((len(sigma),) * (depth + 1))
    unit = float(theory.critical_lambda(sigma[0], depth))
    lam = float(label[:-1]) * unit if label.endswith("c") else float(label)
    known = cell_facts(matrix, group, lam) | {"gradient_tolerance": RADIUS}
    facts = {field: value for field, value in known.items() if field in CELL_FIELDS}
    starts = len(SCALES) * DRAWS
    at_zero = (np.arange(starts) == 0) & (facts["kept_at_minimum"] > 0) & (depth > 2)
    noise = RADIUS * np.random.default_rng([len(name), depth]).uniform(0.01, 0.5, starts)
    alpha_sq = np.where(at_zero, 0.0, facts["predicted_layer_norm_sq"])
    runs = {
        "status": np.full(starts, Status.CONVERGED, np.int8),
        "certified": np.ones(starts, np.int8),
        "minimal": (~at_zero).astype(np.int8),
        "radius": np.full(starts, RADIUS),
        "objective": np.where(at_zero, float(np.sum(matrix**2)), facts["minimum"]),
        "kept": np.where(at_zero, 0, facts["kept_at_minimum"]),
        "distance": np.where(at_zero, facts["predicted_norm"], noise),
        "distance_tolerance": np.full(starts, RADIUS) * (1 + np.arange(starts)),
        "end_to_end_norm": np.where(at_zero, 0.0, facts["predicted_norm"]),
        "layer_norm_sq_min": alpha_sq,
        "layer_norm_sq_max": alpha_sq + noise,
        "layer_norm_tolerance": np.full(starts, RADIUS),
        "gradient_norm": np.full(starts, RADIUS),
        "imbalance": noise,
        "singular_value_gap": noise / 2,
        "imbalance_slope": np.full(starts, 0.6),
        "imbalance_floor": np.full(starts, 1e-12),
        "trace_tolerance": np.full(starts, RADIUS),
        "hessian_trace": np.where(at_zero, 2 * lam * facts["parameters"], facts["predicted_trace"]),
    }
    return xr.Dataset(
        {
            "sigma": (("cell", "singular"), [sigma + [np.nan] * (MOST_SINGULAR - len(sigma))]),
            **{field: ("cell", [value]) for field, value in facts.items()},
            **{field: (("cell", "start"), values[None]) for field, values in runs.items()},
        },
        coords={
            "target": ("cell", np.array([name], dtype=object)),
            "lam_label": ("cell", np.array([label], dtype=object)),
            "depth": ("cell", [depth]),
            "group": ("cell", np.array([group.name], dtype=object)),
            "scheme": ("start", np.array(["gaussian"] * starts, dtype=object)),
            "scale": ("start", np.repeat(SCALES, DRAWS)),
            "draw": ("start", np.tile(np.arange(DRAWS), len(SCALES))),
        },
    )


@pytest.fixture(scope="session")
def made_up() -> Callable[..., xr.Dataset]:
    """Evidence of every combination of targets (name: singular values), depths and lambda labels."""

    def make(targets: dict[str, list[float]], depths: list[int], labels: list[str]) -> xr.Dataset:
        return xr.concat(
            [
                made_up_cell(name, sigma, depth, label)
                for depth in depths
                for name, sigma in targets.items()
                for label in labels
            ],
            "cell",
        )

    return make


@pytest.fixture(scope="session")
def evidence(made_up: Callable[..., xr.Dataset]) -> xr.Dataset:
    targets = {"first": [3.0, 1.7, 0.4], "second": [2.0, 0.9]}
    return made_up(targets, [2, 3], ["0.1c", "0.6c", "0.95c", "1.1c", "1.5c"])


@pytest.fixture(scope="session")
def controls() -> xr.Dataset:
    """Control cells; of the exceptional ones the second start ends at the other minimizer, `stopped` has no end."""
    m_star = float(theory.collapse_threshold(3, 0.5))
    cells = [
        made_up_cell(EXCEPTIONAL, [3 * m_star, m_star, 0.4 * m_star], 3, "0.5"),
        made_up_cell(EXCEPTIONAL_SCALAR, [m_star], 3, "0.5"),
        made_up_cell(ORDINARY, [3.0, 1.5, 0.5], 3, "0.8c"),
        made_up_cell(STOPPED, [3.0, 1.5, 0.5], 3, "0.8c"),
    ]
    for field, value in {"certified": 0, "minimal": 0, "gradient_norm": 2.0, "imbalance": 0.9}.items():
        cells[-1][field][...] = value
    x_j = float(theory.jump(3, 0.5))
    for cell in cells[:2]:
        cell["distance"][0, 1] = x_j
        cell["kept"][0, 1] += 1
        cell["end_to_end_norm"][0, 1] = np.hypot(cell["predicted_norm"].item(), x_j)
        for end in ("layer_norm_sq_min", "layer_norm_sq_max"):
            cell[end][0, 1] = cell["predicted_layer_norm_sq"].item() + x_j ** (2 / 3)
    return xr.concat(cells, "cell")


@pytest.fixture
def read(evidence: xr.Dataset, controls: xr.Dataset, study: Study) -> Study:
    """What a figure reads: the made-up runs, or its study."""

    def of(name: str) -> Halves:
        source = FIGURES[name].study
        if source == "targets":
            return evidence, TARGETS
        return (evidence, controls) if source == "runs" else study(source)

    return of
