"""`dmf.predict` against 50 digits, a dense Hessian by autograd and the command line; and what it loads."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import mpmath as mp
import numpy as np
import pandas as pd
import pytest

import dmf
import exact
from dmf.cli.main import main
from dmf.theory.penalties import Power

SETTINGS = [
    ((3.0, 1.5, 0.4), (3, 3), 3, 0.2, None),
    ((2.0, 0.9), (2, 3), 4, 0.1, [4, 2, 3]),
    ((1.5, 0.5), (3, 2), 2, 0.7, 3),
    ((0.5, 0.2), (2, 2), 3, 2.0, None),
]


def matrix(shape: tuple[int, int], sigma: tuple[float, ...]) -> np.ndarray:
    rng = np.random.default_rng(5)
    left, right = (np.linalg.qr(rng.standard_normal((size, size)))[0] for size in shape)
    return left[:, : len(sigma)] @ np.diag(sigma) @ right[:, : len(sigma)].T


@pytest.mark.parametrize(("sigma", "shape", "depth", "lam", "widths"), SETTINGS)
def test_every_number_has_its_50_digit_value(
    sigma: tuple[float, ...], shape: tuple[int, int], depth: int, lam: float, widths: Any
) -> None:
    target = matrix(shape, sigma)
    found = dmf.predict(target, depth, lam, widths)
    with mp.workdps(50):
        m = [mp.mpf(value) for value in sigma]
        x = [float(exact.minimizer(value, depth, lam)) for value in m]
        eigenvalues = np.array([float(value) for value in exact.hessian_blocks(m, found.widths, lam)])
        truth = {
            "critical_lambda": exact.critical_lambda(sigma[0], depth),
            "threshold": exact.collapse_threshold(depth, lam),
            "branch_threshold": exact.branch_threshold(depth, lam),
            "jump": exact.jump(depth, lam),
            "minimum": exact.minimum_value(m, depth, lam),
            "layer_norm_sq": exact.layer_norm_sq(m, depth, lam),
            "parameters": exact.count(found.widths),
            "trace": exact.hessian_trace(m, found.widths, lam),
            "trace_bound": exact.trace_lower_bound(m, found.widths, lam),
        }
        levels = [float(value) for value in exact.critical_levels(m, depth, lam)]
    assert {name: getattr(found, name) for name in truth} == {
        name: pytest.approx(float(value), rel=1e-12) for name, value in truth.items()
    }
    assert found.sigma == pytest.approx(sigma, rel=1e-13)
    assert found.singular_values == pytest.approx(x, rel=1e-12)
    assert found.kept.tolist() == [value > 0 for value in x]
    assert found.rank == np.count_nonzero(x)
    assert found.minimizer == pytest.approx(matrix(shape, tuple(x)), abs=1e-13)
    assert [level.objective for level in found.levels] == pytest.approx(levels, rel=1e-12)
    assert [level.kept for level in found.levels] == list(range(len(levels)))
    assert found.relative == pytest.approx(lam / float(truth["critical_lambda"]), rel=1e-14)
    zero = abs(eigenvalues) < 1e-12
    assert found.zero_modes == zero.sum()
    assert found.curvature == pytest.approx((eigenvalues[~zero][0], eigenvalues[-1]), rel=1e-11)
    with pytest.raises(AttributeError, match="cannot assign"):
        found.lam = 1.0  # type: ignore[misc]


def test_the_minimizer_is_lower_than_all_that_was_tried() -> None:
    """Brute force: no product near X* or drawn at random has a smaller Schatten objective; at twice lambda, one has."""
    target, rng = matrix((3, 3), (3.0, 1.5, 0.4)), np.random.default_rng(1)
    found = dmf.predict(target, 3, 0.2)

    def objective(x: np.ndarray) -> float:
        values = np.linalg.svd(x, compute_uv=False)
        return float(((target - x) ** 2).sum() + 0.2 * 3 * (values[values > 1e-12] ** (2 / 3)).sum())

    tried = [found.minimizer + 10.0 ** -rng.integers(0, 7) * rng.standard_normal((3, 3)) for _ in range(2000)]
    assert objective(found.minimizer) == pytest.approx(found.minimum, rel=1e-13)
    assert min(map(objective, tried)) > found.minimum
    assert min(map(objective, tried)) < objective(dmf.predict(target, 3, 0.4).minimizer)


def test_lambda_in_units_of_lambda_c_collapses_above_1() -> None:
    target = matrix((3, 3), (3.0, 1.5, 0.4))
    below, above = (dmf.predict(target, 4, lam) for lam in ("0.999c", "1.001c"))
    assert (below.rank, above.rank) == (1, 0)
    assert below.lam == pytest.approx(0.999 * below.critical_lambda, rel=1e-15)
    assert not above.minimizer.any()


def test_the_command_line_has_the_same_numbers(in_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = matrix((2, 3), (2.0, 0.9))
    np.save("m.npy", target)
    assert main(["predict", "m.npy", "--depth", "2", "--lam", "0.3c", "--widths", "4", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = dmf.predict(target, 2, "0.3c", 4).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert printed.pop("target") == "m.npy"
    assert {name: found[name] for name in printed} == printed
    assert found.keys() - printed.keys() == {"product", "rows", "columns"}


class Tags(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_notebook_gets_tables_in_which_labels_are_text() -> None:
    names = ["<script>alert(1)</script>", "plain"]
    found = dmf.predict(pd.DataFrame(np.diag([3.0, 1.0]), names, names), 3, "0.5c")
    page = Tags(found._repr_html_())
    assert page.tags == {"pre", "table", "caption", "tr", "th", "td"}
    assert names[0] in page.text
    assert {"kept", "collapsed", "global minimum"} <= set(page.text)


def test_large_targets_are_cut_in_texts_and_tables() -> None:
    found = dmf.predict(np.random.default_rng(2).standard_normal((40, 50)), 3, "0.1c")
    assert max(map(len, repr(found).splitlines())) < 200
    page = Tags(found._repr_html_())
    assert "X*, 28 more rows, 38 more columns" in page.text
    assert "Singular values, 28 more rows" in page.text


def test_the_plot_has_the_curve_and_the_target_on_it() -> None:
    with mpl.rc_context({"backend": "agg"}):
        for depth in (2, 4):
            found = dmf.predict(np.diag([4.0, 2.0, 0.3]), depth, 0.4)
            axes = found.plot()
            (points,) = [line for line in axes.lines if line.get_label() == "this target"]
            with mp.workdps(50):
                x = [float(exact.minimizer(mp.mpf(m), depth, 0.4)) for m in (4.0, 2.0, 0.3)]
            assert points.get_ydata() == pytest.approx(x, rel=1e-12)
            assert all(np.isfinite(line.get_ydata()).all() for line in axes.lines)
            assert found.plot(axes) is axes
            mpl.pyplot.close(axes.figure)


def test_predicting_loads_numpy_alone() -> None:
    heavy = ("xarray", "torch", "pandas", "matplotlib", "rich", "scipy", "pydantic", "numba", "yaml")
    code = (
        "import sys, dmf; found = dmf.predict([[3, 0], [0, 1]], depth=3, lam='0.5c'); repr(found), found.to_dict(); "
        f"found._repr_html_(); print([name for name in {heavy} if name in sys.modules], 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] True"


def test_gsvt_solves_its_problem_for_a_jumping_penalty() -> None:
    """Against a search over a fine grid of the scalar problem, and the closed form of depth 4."""
    given = np.diag([3.0, 1.0, 0.4])
    found = dmf.gsvt(given, Power.of_depth(4, 0.2), mu=2.0)
    x = np.linspace(0, 4, 400_001)
    for m, value in zip((3.0, 1.0, 0.4), np.diag(found), strict=True):
        assert value == pytest.approx(x[np.argmin((x - m) ** 2 + 0.2 * 4 * np.sqrt(x))], abs=2e-5)
    assert found == pytest.approx(dmf.predict(given, 4, 0.2).minimizer, abs=1e-12)
