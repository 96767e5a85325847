"""The record of finished runs against direct computation."""

from functools import partial

import numpy as np
import pytest
import torch

from dmf.training.settings import GradientDescent, Lbfgs

pytestmark = pytest.mark.parametrize("device", ["cpu", "torch"])


@pytest.mark.parametrize("widths", [(1, 1, 1), (3, 3, 3), (2, 4, 3), (3, 2, 2, 4), (1, 3, 3, 3, 2)])
def test_hessian_trace_is_that_of_the_dense_hessian_at_any_point(widths, draw_batch, objective):
    batch = draw_batch(widths, 3)
    runs = batch.train(Lbfgs(name="lbfgs", max_iterations=2))
    for i in range(3):
        theta = torch.from_numpy(np.concatenate([w[i].ravel() for w in runs.layers]))
        target = torch.from_numpy(batch.targets[i])
        hessian = torch.autograd.functional.hessian(
            partial(objective, target=target, lam=batch.lams[i], widths=widths), theta
        )
        assert runs.hessian_trace[i] == pytest.approx(torch.trace(hessian).item(), rel=1e-12)


def test_every_field_describes_the_final_layers(draw_batch):
    batch = draw_batch((3, 5, 4, 2), 40)
    runs = batch.train(Lbfgs(name="lbfgs", max_iterations=3))
    w1, w2, w3 = runs.layers
    assert [w.shape for w in runs.layers] == [(40, 5, 3), (40, 4, 5), (40, 2, 4)]
    product = w3 @ w2 @ w1
    np.testing.assert_allclose(runs.end_to_end, product, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(runs.singular_values, np.linalg.svd(product, compute_uv=False), rtol=1e-10)
    norms = np.stack([(w**2).sum(axis=(1, 2)) for w in runs.layers], axis=1)
    np.testing.assert_allclose(runs.layer_norm_sq, norms, rtol=1e-13)
    misfit = ((batch.targets - product) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(runs.objective, misfit + batch.lams * norms.sum(axis=1), rtol=1e-12)
    rest, decay = 2 * (product - batch.targets), 2 * batch.lams[:, None, None]
    slopes = [(w3 @ w2).mT @ rest, w3.mT @ rest @ w1.mT, rest @ (w2 @ w1).mT]
    squares = sum(((g + decay * w) ** 2).sum(axis=(1, 2)) for g, w in zip(slopes, runs.layers, strict=True))
    np.testing.assert_allclose(runs.gradient_norm**2, squares, rtol=1e-11)
    gaps = [b.transpose(0, 2, 1) @ b - a @ a.transpose(0, 2, 1) for a, b in ((w1, w2), (w2, w3))]
    sizes = np.array([np.linalg.norm(g, axis=(1, 2)) for g in gaps])
    assert set(sizes.argmax(axis=0)) == {0, 1}  # so that no pair goes unseen
    np.testing.assert_allclose(runs.imbalance, sizes.max(axis=0))
    # Through the Gram matrices, with the zeros of the wider one: an independent way to the squared singular values.
    squares = [np.linalg.eigvalsh(w @ w.transpose(0, 2, 1))[:, ::-1] for w in (w1, w2, w3)]
    squares = [np.pad(s, ((0, 0), (0, 5 - s.shape[1]))) for s in squares]
    spread = [np.linalg.norm(squares[i + 1] - squares[i], axis=1) for i in range(2)]
    np.testing.assert_allclose(runs.singular_value_gap, np.max(spread, axis=0), rtol=1e-10)
    np.testing.assert_allclose(runs.layer_spectral_norm**2, np.max([s[:, 0] for s in squares], axis=0), rtol=1e-12)
    assert (runs.status.dtype, runs.iterations.dtype, runs.evaluations.dtype) == (np.int8, np.int64, np.int64)


def test_a_point_that_is_not_finite_is_recorded_without_a_crash(draw_batch):
    batch = draw_batch((3, 3, 3), 3)
    batch.starts[0][1] = np.nan
    runs = batch.train(GradientDescent(name="gd", max_iterations=5))
    assert np.isnan(runs.singular_values[1]).all()
    assert np.isnan([runs.singular_value_gap[1], runs.layer_spectral_norm[1]]).all()
    assert np.isfinite(runs.singular_values[[0, 2]]).all()


@pytest.mark.parametrize("widths", [(2, 2, 2), (2, 5, 4, 3)])
def test_neighbouring_singular_values_are_no_farther_apart_than_the_gram_matrices(widths, draw_batch):
    """Mirsky's inequality for the symmetric matrices W_{l+1}^T W_{l+1} and W_l W_l^T."""
    runs = draw_batch(widths, 20).train(Lbfgs(name="lbfgs", max_iterations=4))
    assert (runs.singular_value_gap <= runs.imbalance * (1 + 1e-12)).all()
    assert (runs.singular_value_gap > 0).all()
