"""Other weights are eq. 2 in other coordinates: identities at any point, and minimizers critical for autograd."""

from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
import torch

from dmf import theory

WEIGHTS = [(0.3, 0.3), (0.2, 1.7), (0.4, 1.0, 2.5), (3.0, 1e-3, 0.2, 0.7)]


def loss(layers, target, penalties, data):
    product = layers[0]
    for layer in layers[1:]:
        product = layer @ product
    return data * ((target - product) ** 2).sum() + sum(
        b * (w**2).sum() for b, w in zip(penalties, layers, strict=True)
    )


@pytest.mark.parametrize("penalties", WEIGHTS)
@pytest.mark.parametrize("data", [1.0, 0.5, 1 / 12])
def test_the_objective_is_that_of_eq_2_at_the_rescaled_layers(penalties, data):
    rng = np.random.default_rng(len(penalties))
    widths = [3, *[2] * (len(penalties) - 1), 4]
    layers = [rng.standard_normal((m, n)) for n, m in pairwise(widths)]
    target = rng.standard_normal((4, 3))
    scales = theory.layer_scales(penalties)
    assert np.prod(scales) == pytest.approx(1, rel=1e-13)
    rescaled = [layer / scale for layer, scale in zip(layers, scales, strict=True)]
    value = data * theory.objective(rescaled, target, theory.equivalent_lambda(penalties, data))
    assert value == pytest.approx(loss(layers, target, penalties, data), rel=1e-13)


@pytest.mark.parametrize("penalties", WEIGHTS)
def test_a_rescaled_minimizer_is_critical_for_autograd_and_its_weighted_norms_agree(penalties):
    rng = np.random.default_rng(7)
    target = 3 * rng.standard_normal((4, 3))
    data, depth = 0.5, len(penalties)
    lam = theory.equivalent_lambda(penalties, data)
    minimizer = theory.sample_minimizer(target, [3] * depth + [4], lam, rng)
    layers = [
        torch.from_numpy(scale * layer).requires_grad_()
        for scale, layer in zip(theory.layer_scales(penalties), minimizer, strict=True)
    ]
    loss(layers, torch.from_numpy(target), penalties, data).backward()
    assert max(float(layer.grad.abs().max()) for layer in layers) < 1e-11
    shares = [b * np.sum(layer.detach().numpy() ** 2) for b, layer in zip(penalties, layers, strict=True)]
    np.testing.assert_allclose(shares, data * lam * theory.layer_norm_sq(target, depth, lam), rtol=1e-12)


def test_the_geometric_mean_has_50_digits_behind_it_and_is_exact_for_equal_weights():
    with mp.workdps(50):
        exact = mp.root(mp.mpf(0.4) * mp.mpf(1.0) * mp.mpf(2.5e-7), 3) / mp.mpf(0.25)
    assert theory.equivalent_lambda([0.4, 1.0, 2.5e-7], 0.25) == pytest.approx(float(exact), rel=4e-15)
    assert theory.equivalent_lambda([0.1] * 7) == 0.1
    assert theory.equivalent_lambda(0.3, 0.5) == 0.6


@pytest.mark.parametrize(("decay", "data"), [(0.3, 1.0), (0.3, 0.5), (0.3, 1 / 12)])
def test_weight_decay_is_half_a_penalty_for_every_optimizer_that_adds_it_to_the_gradient(decay, data):
    """One step of size 1 from the same point: the decay of torch.optim.SGD, and a penalty of decay / 2 in the loss."""
    rng = np.random.default_rng(0)
    target = torch.from_numpy(rng.standard_normal((4, 3)))
    drawn = [rng.standard_normal(shape) for shape in ((3, 3), (4, 3))]
    stepped = []
    for weight_decay, penalty in ((decay, 0.0), (0.0, decay / 2)):
        layers = [torch.nn.Parameter(torch.from_numpy(layer.copy())) for layer in drawn]
        optimizer = torch.optim.SGD(layers, lr=1.0, weight_decay=weight_decay)
        loss(layers, target, [penalty] * 2, data).backward()
        optimizer.step()
        stepped.append(np.concatenate([layer.detach().numpy().ravel() for layer in layers]))
    np.testing.assert_allclose(*stepped, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("penalties", "data", "words"),
    [
        ([0.1, 0.0], 1.0, r"penalties\[1\] = 0.0: expected a finite weight > 0"),
        (-1.0, 1.0, r"penalties = -1.0: expected a finite weight > 0"),
        ([], 1.0, r"penalties: expected one weight, or one for each layer, got shape \(0,\)"),
        ([[0.1]], 1.0, r"penalties: expected one weight"),
        ([0.1], 0.0, r"data = 0.0: expected a finite weight > 0"),
        ([0.1], float("inf"), r"data = inf"),
        ([float("nan")], 1.0, r"penalties\[0\] = nan"),
    ],
)
def test_bad_weights_are_refused_by_name(penalties, data, words):
    with pytest.raises(ValueError, match=words):
        theory.equivalent_lambda(penalties, data)
