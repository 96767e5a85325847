"""`dmf.denoise`: planted signals are found, at a loss near the best there is; noise alone is not taken for one."""

import json

import numpy as np
import pandas as pd
import pytest

import dmf
from dmf.api import risks
from dmf.api.complete import completed
from dmf.api.risks import Noise
from dmf.theory import critical_lambda, denoising, scalar_minimizer
from dmf.theory.completion import complete
from dmf.theory.sensitivity import divergence

SHAPE = (120, 80)
UNIT = np.sqrt(120)


def planted(
    seed: int, thetas: tuple[float, ...] = (5.0, 2.5, 2.0), noise: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """A hidden truth, and what is seen of it; thetas are in units of the noise."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((size, len(thetas))))[0] for size in SHAPE)
    truth = noise * UNIT * (left * thetas) @ right.T
    return truth, truth + noise * rng.standard_normal(SHAPE)


def loss(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sum((found - truth) ** 2))


@pytest.mark.parametrize("choose", ["edge", "stein"])
@pytest.mark.parametrize("noise", [None, 0.5])
def test_a_planted_rank_is_found_at_a_loss_near_the_best_of_a_grid(choose, noise):
    losses = []
    for seed in range(6):
        truth, seen = planted(seed)
        found = dmf.denoise(seen, noise=noise, choose=choose)
        u, sigma, v_t = np.linalg.svd(seen, full_matrices=False)
        grid = [
            loss((u * scalar_minimizer(sigma, depth, float(critical_lambda(at, depth)))) @ v_t, truth)
            for depth in risks.DEPTHS
            for at in np.linspace(0.3, 1.2, 60) * sigma[0]
        ]
        assert found.kept == 3 or (found.depth == 2 and choose == "stein")
        assert np.linalg.matrix_rank(found.minimizer) == found.kept
        assert found.noise.level == pytest.approx(0.5, rel=0.03)
        losses.append(loss(found.minimizer, truth) / min(grid))
        assert losses[-1] < 1.15
        assert loss(found.minimizer, truth) < 0.1 * loss(seen, truth)
    assert np.mean(losses) < 1.06


@pytest.mark.parametrize("choose", ["edge", "stein"])
def test_of_noise_alone_nothing_is_kept_and_it_says_why(choose):
    kept = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = dmf.denoise(rng.standard_normal((30, 40)), choose=choose)
        kept.append(found.kept)
        if not found.kept:
            assert not found.minimizer.any()
            assert found.notes[0].startswith("keeps nothing: the largest singular value, ")
            assert found.depth == 3
            assert "risk: what is below the edge costs its square; by Stein" in found.lines()[4]
    assert np.count_nonzero(kept) <= 2  # 1 % of them, about


def test_shuffled_entries_have_no_rank_to_keep():
    _, seen = planted(3)
    shuffled = np.random.default_rng(0).permutation(seen.ravel()).reshape(seen.shape)
    assert dmf.denoise(seen).kept == 3
    assert dmf.denoise(shuffled).kept == 0


@pytest.mark.parametrize("choose", ["edge", "stein"])
def test_estimated_risks_are_near_the_loss(choose):
    gaps, spikes = {}, {}
    for seed in range(12):
        truth, seen = planted(seed)
        found = dmf.denoise(seen, noise=0.5, choose=choose)
        u, sigma, v_t = np.linalg.svd(seen, full_matrices=False)
        for one in found.compare():
            if one.depth:
                x = scalar_minimizer(sigma, one.depth, one.lam)
            elif one.name == "best shrinkage":
                x = 0.5 * UNIT * denoising.optimal_shrinkage(sigma / (0.5 * UNIT), 80 / 120)
            else:
                x = np.where(sigma > one.threshold, sigma, 0)
            true = loss((u * x) @ v_t, truth)
            name = "own" if one.depth == found.depth else one.name
            gaps.setdefault(name, []).append(one.stein - true)
            spikes.setdefault(name, []).append(one.asymptotic / true)
            assert one.kept == np.count_nonzero(x)
    error = 0.5**2 * np.sqrt(2 * 120 * 80)
    assert found.noise.error == error
    for name, values in gaps.items():
        assert np.std(values) < 1.6 * error, name
        assert abs(np.mean(values)) < 3 * error / np.sqrt(12), name
    # Entries below the edge that are kept are left out of the asymptotic risk of soft thresholds at lower lambdas.
    for name in {"own", "best shrinkage", "best hard threshold", "truncated SVD at the edge"} & spikes.keys():
        assert np.mean(spikes[name]) == pytest.approx(1, abs=0.12), name


def test_the_risks_of_others_have_their_slopes_and_jumps():
    noise, unit, aspect = Noise(SHAPE, 0.5), 0.5 * UNIT, 80 / 120
    at = denoising.optimal_threshold(aspect)
    theta = float(denoising.spike_of(at, aspect))  # a spike that is kept in half of the draws
    gaps: dict[str, list[float]] = {}
    for seed in range(400):
        truth, seen = planted(seed, (4.0, theta))
        u, sigma, v_t = np.linalg.svd(seen, full_matrices=False)
        spread = loss(seen, truth) - 9600 * 0.25  # which all estimates share
        for one in risks.peers(sigma, noise)[:2]:
            x = np.where(sigma > one.threshold, sigma, 0)
            gaps.setdefault(one.name, []).append(one.stein - loss((u * x) @ v_t, truth) - spread)
    for name, values in gaps.items():
        assert abs(np.mean(values)) < 3 * np.std(values) / 20, name
    best = next(one for one in risks.peers(sigma, noise) if one.name == "best shrinkage")
    sides = [unit * denoising.optimal_shrinkage((sigma + step) / unit, aspect) for step in (-1e-5, 0, 1e-5)]
    slope = (sides[2] - sides[0]) / 2e-5
    assert best.degrees == pytest.approx(divergence(sigma, sides[1], slope, SHAPE), rel=1e-8)


def test_the_best_shrinkage_is_the_best_and_the_chosen_depth_next_to_it():
    found = dmf.denoise(planted(1)[1])
    order = [one.name for one in sorted(found.compare(), key=lambda one: one.asymptotic)]
    assert order[:2] == ["best shrinkage", f"depth {found.depth}"]
    assert order[-1] == "none"
    assert found.own.asymptotic == min(one.asymptotic for one in found.by_depth)
    stein = dmf.denoise(planted(1)[1], choose="stein")
    assert stein.own.stein == min(one.stein for one in stein.by_depth)
    assert dmf.denoise(planted(1)[1], depth=6).depth == 6


def test_labels_are_kept_and_name_what_loads_most():
    rng = np.random.default_rng(2)
    signal = np.zeros((30, 20))
    signal[4:8, 2:5] = 3.0
    frame = pd.DataFrame(
        signal + 0.3 * rng.standard_normal((30, 20)), [f"gene {i}" for i in range(30)], [f"day {i}" for i in range(20)]
    )
    found = dmf.denoise(frame)
    (one,) = found.directions
    assert {name for name, _ in one.rows[:4]} == {f"gene {i}" for i in range(4, 8)}
    assert {name for name, _ in one.columns[:3]} == {f"day {i}" for i in range(2, 5)}
    assert one.rows[0][1] > 0
    assert all(share > 0.4 for _, share in one.columns[:3])
    assert "gene 4" in repr(found)
    assert found.rows == tuple(frame.index)


@pytest.mark.parametrize("choose", ["edge", "stein"])
def test_units_and_sides_do_not_matter(choose):
    _, seen = planted(5)
    one, turned = dmf.denoise(seen, choose=choose), dmf.denoise(seen.T, choose=choose)
    np.testing.assert_allclose(turned.minimizer.T, one.minimizer, atol=1e-12)
    for unit in (1e-45, 1e45):
        other = dmf.denoise(unit * seen, choose=choose)
        assert (other.depth, other.kept) == (one.depth, one.kept)
        np.testing.assert_allclose(other.minimizer / unit, one.minimizer, atol=1e-12)
        assert other.own.stein / unit**2 == pytest.approx(one.own.stein, rel=1e-10)


def test_everything_is_ready_for_json_and_drawn():
    found = dmf.denoise(planted(0)[1])
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["kept"] == 3
    assert read["noise"]["estimated"] is True
    assert len(read["by_depth"]) == len(risks.DEPTHS)
    assert found.plot().get_ylabel() == "singular value"
    assert found.plot_risks().get_xlabel() == "depth"


def test_noise_that_is_not_white_is_said():
    rng = np.random.default_rng(4)
    uneven = rng.standard_normal((200, 100)) * np.linspace(0.2, 3, 200)[:, None]
    assert any("not those of white noise" in note for note in dmf.denoise(uneven).notes)
    assert not any("not those of white noise" in note for note in dmf.denoise(rng.standard_normal((200, 100))).notes)
    few = dmf.denoise(rng.standard_normal((8, 9)))
    assert any("8 singular values are few" in note for note in few.notes)
    assert risks.misfit(np.array([3.0]), Noise((1, 1), 0.1)) == 1  # nothing is below the edge


def holed(seed: int = 0, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((50, 2)) @ rng.standard_normal((2, 40))
    seen = truth + 0.3 * rng.standard_normal(truth.shape)
    seen[rng.random(truth.shape) > share] = np.nan
    return truth, seen


def test_missing_entries_are_filled_better_than_by_depth_2_and_at_a_fixed_point():
    truth, seen = holed()
    found = dmf.denoise(seen, missing=True)
    soft = dmf.denoise(seen, depth=2, missing=True)
    assert found.choose == "held-out"
    assert found.kept == 2
    holes = np.isnan(seen)
    relative = loss(found.minimizer[holes], truth[holes]) / float(np.sum(truth[holes] ** 2))
    assert relative < 0.03
    assert loss(found.minimizer, truth) < 0.5 * loss(soft.minimizer, truth)
    assert found.completed.found.settled
    assert np.diff(found.completed.found.objectives).max() <= 1e-9
    again = dmf.predict(np.where(holes, found.minimizer, seen), found.depth, found.lam).minimizer
    np.testing.assert_allclose(again, found.minimizer, atol=1e-6)


def test_the_lambda_of_held_out_entries_is_near_the_best_for_the_hidden_truth():
    truth, seen = holed(1)
    done = completed(seen, [3], seed=0)
    losses = []
    for one in done.tried:
        x = complete(np.nan_to_num(seen), ~np.isnan(seen), 3, one.lam).x
        losses.append(loss(x, truth))
    assert loss(done.found.x, truth) < 1.25 * min(losses)
    assert max(losses) > 3 * min(losses)


def test_seeds_draw_the_held_out_entries_and_nothing_else():
    _, seen = holed(2)
    one, same, other = (dmf.denoise(seen, depth=3, missing=True, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.minimizer, same.minimizer)
    assert one.completed.chosen.error != other.completed.chosen.error
    masked = dmf.denoise(np.ma.masked_invalid(seen), depth=3, missing=True)
    np.testing.assert_array_equal(one.minimizer, masked.minimizer)


def test_of_missing_noise_nothing_is_kept_and_it_says_why():
    rng = np.random.default_rng(5)
    seen = rng.standard_normal((40, 30))
    seen[rng.random(seen.shape) < 0.3] = np.nan
    seen[3] = np.nan
    found = dmf.denoise(seen, missing=True)
    assert found.kept == 0
    assert "keeps nothing: held-out entries are not predicted better than by zeros" in found.notes[0]
    assert "no entry at all in 1 of the rows" in found.notes[1]
    assert json.dumps(found.to_dict(), allow_nan=False)


GOOD = np.array([[1.0, 2.0, 0.5], [0.3, -1.0, 2.0], [3.0, 0.1, 0.2]])
HOLE = np.where(GOOD == 0.5, np.nan, GOOD)


@pytest.mark.parametrize(
    ("arguments", "kind", "line"),
    [
        ({"target": HOLE}, ValueError, "target: got nan at row 0, column 2, expected finite numbers"),
        ({"target": np.where(GOOD == 0.5, np.inf, GOOD), "missing": True}, ValueError, "target: got inf at row 0"),
        ({"target": GOOD + 1j}, TypeError, "target: got entries of type complex128"),
        ({"target": []}, ValueError, "target: got shape"),
        ({"target": np.zeros((3, 3))}, ValueError, "target: all entries are zero"),
        ({"target": np.full((3, 3), 2.0)}, ValueError, "target: all entries are 2; expected a matrix that varies"),
        ({"target": GOOD[:1]}, ValueError, "expected at least two rows and two columns"),
        ({"target": GOOD[:, :1]}, ValueError, "expected at least two rows and two columns"),
        (
            {"target": GOOD, "noise": 0},
            ValueError,
            "noise: got '0', expected a number from|noise: got 0, expected a number from",
        ),
        ({"target": GOOD, "noise": -1.0}, ValueError, "noise: got -1.0, expected a number from"),
        ({"target": GOOD, "noise": np.inf}, ValueError, "noise: got inf, expected a number from"),
        ({"target": GOOD, "noise": np.nan}, ValueError, "noise: got nan, expected a number from"),
        ({"target": GOOD, "noise": "much"}, TypeError, "noise: got 'much'|noise: got much"),
        ({"target": GOOD, "noise": 1e250}, ValueError, r"noise: got 1e\+250, expected a number from 1e-50 to 1e\+50"),
        ({"target": GOOD, "depth": 1}, ValueError, "depth: got 1, expected at least 2 layers"),
        ({"target": GOOD, "depth": 2.5}, TypeError, "depth: got '2.5', expected a whole number"),
        ({"target": GOOD, "choose": "best"}, ValueError, "choose: got 'best', expected edge or stein"),
        ({"target": np.outer(GOOD[0], GOOD[1])}, ValueError, "noise: half of the singular values are zero.*; give its"),
        ({"target": HOLE, "missing": True}, ValueError, "target: got 8 entries that are not missing, expected"),
        ({"target": HOLE, "missing": True, "noise": 0.1}, ValueError, "leave both out"),
        ({"target": np.full((4, 4), np.nan), "missing": True}, ValueError, "all entries are zero"),
    ],
)
def test_wrong_input_is_one_line(arguments, kind, line):
    with pytest.raises(kind, match=line) as caught:
        dmf.denoise(**arguments)
    assert "\n" not in str(caught.value)
