from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claims
from dmf.evidence.claim import Detection, Finding, Verdict
from dmf.evidence.fields import CELL_FIELDS, RUN_FIELDS
from dmf.grid.config import Grid, validate
from dmf.grid.targets import TargetMatrix
from dmf.report.page import Content, page_html
from dmf.report.pictures import Picture
from dmf.report.provenance import provenance
from dmf.report.summary import summarize
from dmf.training.settings import Status

HOSTILE = "<script>alert(1)</script>"
DEPTHS, LAMBDAS = (2, 3), ("0.5c", "1.5c")
STARTS = [("gaussian", 0.5, 0), ("gaussian", 0.5, 1), ("gaussian", 2.0, 0), ("balanced", 2.0, 0)]
# One run of every kind. Cell (3, 0.5c): a spurious minimum, no level, no certificate, the minimum.
KEPT = [[1, 1, 1, 1], [0, 0, 0, 0], [0, -1, 1, 1], [0, 0, 0, 2]]
CERTIFIED = [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]]
MINIMAL = [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1], [1, 1, 1, 0]]


@pytest.fixture
def grid() -> Grid:
    target = {"name": "square", "kind": "gaussian", "shape": [2, 2], "label": f"label {HOSTILE}"}
    return validate(
        {
            "grid": "tiny",
            "title": f"title {HOSTILE} & more",
            "targets": [target],
            "depths": list(DEPTHS),
            "lambdas": {"relative": [0.5, 1.5]},
        },
        "test",
    )


@pytest.fixture
def evidence() -> xr.Dataset:
    """Evidence of four cells with four starts, the outcome of every run chosen above."""
    cells = [("square", depth, lam) for depth in DEPTHS for lam in LAMBDAS]
    shape = (len(cells), len(STARTS))
    rng = np.random.default_rng(0)
    variables: dict[str, Any] = {name: ("cell", rng.random(len(cells))) for name in CELL_FIELDS}
    variables |= {name: (("cell", "start"), rng.random(shape)) for name in RUN_FIELDS}
    chosen = {"kept": KEPT, "certified": CERTIFIED, "minimal": MINIMAL}
    chosen["status"] = np.where(np.array(CERTIFIED) == 1, Status.CONVERGED, Status.STALLED).tolist()
    chosen["iterations"] = np.full(shape, 57).tolist()
    variables |= {name: (("cell", "start"), np.array(values)) for name, values in chosen.items()}
    variables["kept_at_minimum"] = ("cell", np.array([1, 0, 1, 0]))
    coords: dict[str, Any] = {
        name: ("cell", np.array([cell[i] for cell in cells], dtype=object))
        for i, name in ((0, "target"), (2, "lam_label"))
    }
    coords["depth"] = ("cell", np.array([cell[1] for cell in cells]))
    coords |= {
        name: ("start", np.array([start[i] for start in STARTS])) for i, name in enumerate(("scheme", "scale", "draw"))
    }
    return xr.Dataset(
        variables, coords, attrs={"values_sha256": "5a" * 32, "date_created": "2026-01-02T03:04:05+00:00"}
    )


def finding(statistic: float | None, **changes: Any) -> Finding:
    worst = {"target": "square", "depth": 3, "lam_label": "0.5c", "scheme": "balanced", "scale": 2.0, "draw": 0}
    one = Finding(statistic, 16, 15, 12, 11, 5, 4, 3, 3, None if statistic is None else worst)
    return replace(one, **changes)


def detection(statistic: float | None, **changes: Any) -> Detection:
    weakest = None if statistic is None else {"target": "ordinary", "depth": 3}
    return replace(Detection("departure", "far", 7, 7, statistic, weakest), **changes)


@pytest.fixture
def blinded() -> Callable[[Verdict], Verdict]:
    """A verdict with the first of its controls not detected in one cell."""

    def blind(verdict: Verdict) -> Verdict:
        first, *others = verdict.controls
        return replace(verdict, controls=(replace(first, detected=6, statistic=0.31), *others))

    return blind


@pytest.fixture
def verdicts() -> list[Verdict]:
    """One verdict for each claim, all confirmed with distinct numbers and detected controls."""
    return [
        Verdict(
            name,
            claim.title,
            claim.source,
            finding(0.101 + 0.01 * place, runs=1200 + place, runs_counted=1100 + place),
            (detection(1234.0 + 100 * place), detection(1e9, distance="near")),
        )
        for place, (name, claim) in enumerate(load_claims().items())
    ]


@pytest.fixture
def build(grid: Grid, evidence: xr.Dataset, verdicts: list[Verdict]) -> Callable[..., str]:
    """The page of the tiny grid; keyword arguments replace parts of it."""

    def page(**changes: Any) -> str:
        facts = {"runs": 8, "train_seconds": 1.25, "training": "abc", "date_created": "2026-01-01T00:00:00+00:00"}
        facts |= {"git_revision": "r1", "machine": "a machine", "package_versions": "numpy 2", "values_sha256": "00"}
        targets = [TargetMatrix("square", "ignored", "gaussian", "f", np.diag([4.0, 1.5]))]
        picture = {"title": "A figure of $X$", "caption": r"Norm $\|X\|_F$.", "refuted_by": "a point off the line"}
        parts: dict[str, Any] = {
            "grid": grid,
            "targets": targets,
            "verdicts": verdicts,
            "pictures": [
                Picture("first", claim=verdicts[0].claim, source="figures/first.svg", **picture),
                Picture("second", claim=None, source="figures/second.png", **picture),
            ],
            "provenance": provenance(grid, targets, [evidence.attrs], {"L2": facts, "L3": facts}, facts),
        }
        worst = {verdict.claim: verdict.finding.worst for verdict in {**parts, **changes}["verdicts"]}
        needed = grid.certificate.runs_per_cell
        parts["summary"] = summarize([changes.pop("evidence", evidence)], needed, worst)
        return page_html(Content(**{**parts, **changes}))

    return page
