"""The two engines agree run by run."""

import numpy as np

from dmf.training.settings import Continuation, Status

RUNS = 2000


def test_all_but_one_run_in_a_thousand_end_at_the_same_level_to_certificate_accuracy(draw_batch):
    """A start near the boundary of two basins may fall either way, but then it is certified on both sides."""
    batch = draw_batch((4, 4, 4, 4), RUNS, lams=(0.02, 1.0))
    compiled, torched = batch.train(device="cpu"), batch.train(device="torch")
    for runs in (compiled, torched):
        assert np.all(runs.status == Status.CONVERGED)
        assert np.all(runs.gradient_norm <= 1.001 * batch.tolerance)
    # At a critical point F moves with the square of the error, and its own rounding is some eps ||M||^2.
    apart = np.abs(compiled.objective - torched.objective)
    same = apart <= 1e-9 * compiled.objective
    for i in np.flatnonzero(~same):
        print(f"run {i}: lambda {batch.lams[i]:.4f}, F {compiled.objective[i]:.12f} and {torched.objective[i]:.12f}")
        assert apart[i] > 1e-6, "neither the same level nor clearly another"
    print(f"{np.count_nonzero(~same)} of {RUNS} runs end at another level")
    assert np.mean(same) >= 0.999


def test_continuation_ends_at_the_same_levels_too(draw_batch):
    batch, settings = draw_batch((4, 4, 4, 4), 60, lams=(0.02, 0.3)), Continuation(name="continuation")
    compiled, torched = batch.train(settings, device="cpu"), batch.train(settings, device="torch")
    assert np.all(torched.status == Status.CONVERGED)
    np.testing.assert_allclose(torched.objective, compiled.objective, rtol=1e-9)
