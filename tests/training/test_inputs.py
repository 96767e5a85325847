"""Training a deep linear network on inputs and outputs: the same engine with a constant factor."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from dmf.training.engine import train
from dmf.training.record import points_of
from dmf.training.settings import Adam, Continuation, GradientDescent, Lbfgs, Status
from dmf.training.tasks import Execution, Tasks
from dmf.training.torch_engine.engine import bytes_of_a_run
from dmf.training.torch_engine.objective import Problems, fill_lines, value_and_gradient

LBFGS = Lbfgs(name="lbfgs")
SHAPES = [((3, 4, 2), 9), ((5, 5, 5, 3), 5), ((6, 4, 4, 7), 3), ((2, 2, 2), 1), ((4, 3, 5, 3, 3), 40), ((1, 1, 1), 8)]


def network(widths: tuple[int, ...], layers: list[np.ndarray]) -> torch.nn.Sequential:
    """The network as torch builds one, with given weights."""
    model = torch.nn.Sequential(*(torch.nn.Linear(n, m, bias=False, dtype=torch.float64) for n, m in pairwise(widths)))
    with torch.no_grad():
        for module, layer in zip(model, layers, strict=True):
            module.weight.copy_(torch.from_numpy(layer))
    return model


def loss(model: torch.nn.Sequential, x: np.ndarray, y: np.ndarray, lam: float) -> torch.Tensor:
    misfit = (model(torch.from_numpy(x.T.copy())) - torch.from_numpy(y.T.copy())).square().sum()
    return misfit + lam * sum(weight.square().sum() for weight in model.parameters())


def draw(widths: tuple[int, ...], samples: int, count: int, draw_batch, seed: int = 1):
    batch, rng = draw_batch(widths, count), np.random.default_rng(seed)
    x = rng.standard_normal((count, widths[0], samples)) * np.geomspace(0.3, 2, widths[0])[:, None]
    return batch, x, rng.standard_normal((count, widths[-1], samples))


@pytest.mark.parametrize(("widths", "samples"), SHAPES)
def test_value_and_gradient_are_those_of_a_plain_torch_network(widths, samples, draw_batch):
    batch, x, y = draw(widths, samples, 3, draw_batch)
    tensors = [torch.from_numpy(array.reshape(3, -1)) for array in (y, x)]
    problems = Problems.of(tensors[0], torch.from_numpy(batch.lams), widths, inputs=tensors[1])
    value, gradient = value_and_gradient(problems, fill_lines(torch.from_numpy(points_of(batch.starts))), widths)
    for i in range(3):
        model = network(widths, [layer[i] for layer in batch.starts])
        expected = loss(model, x[i], y[i], batch.lams[i])
        slope = torch.cat([part.flatten() for part in torch.autograd.grad(expected, model.parameters())])
        assert value[i].item() == pytest.approx(expected.item(), rel=1e-13)
        torch.testing.assert_close(gradient[i, : len(slope)], slope, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("widths", "samples"), SHAPES[:3])
def test_the_record_is_that_of_the_network_on_its_data(widths, samples, draw_batch):
    batch, x, y = draw(widths, samples, 3, draw_batch)
    runs = train(Tasks(y, batch.lams, batch.tolerance, x), batch.starts, Lbfgs(name="lbfgs", max_iterations=3))
    for i in range(3):
        model = network(widths, [layer[i] for layer in runs.layers])
        value = loss(model, x[i], y[i], batch.lams[i])
        slope = torch.cat([part.flatten() for part in torch.autograd.grad(value, model.parameters())])
        assert runs.objective[i] == pytest.approx(value.item(), rel=1e-12)
        assert runs.gradient_norm[i] == pytest.approx(slope.norm().item(), rel=1e-10)
        np.testing.assert_allclose(runs.end_to_end[i], model(torch.eye(widths[0]).double()).T.detach(), atol=1e-13)
        weights = [weight.detach() for weight in model.parameters()]

        def on(flat, x=x[i], y=y[i], lam=batch.lams[i], weights=weights):
            parts = flat.split([w.numel() for w in weights])
            product = torch.from_numpy(x)
            for part, weight in zip(parts, weights, strict=True):
                product = part.reshape(weight.shape) @ product
            return (product - torch.from_numpy(y)).square().sum() + lam * flat.square().sum()

        hessian = torch.autograd.functional.hessian(on, torch.cat([w.flatten() for w in weights]))
        assert runs.hessian_trace[i] == pytest.approx(torch.trace(hessian).item(), rel=1e-12)


@pytest.mark.parametrize("optimizer", [LBFGS, Continuation(name="continuation", stages=3)], ids=lambda o: o.name)
def test_identity_inputs_change_nothing_but_roundings(optimizer, draw_batch):
    batch = draw_batch((4, 3, 3), 12)
    eye = np.broadcast_to(np.eye(4), (12, 4, 4))
    plain = batch.train(optimizer, device="torch")
    runs = batch.train(optimizer, inputs=eye)
    assert (runs.status == Status.CONVERGED).all()
    np.testing.assert_allclose(runs.hessian_trace, plain.hessian_trace, rtol=1e-6)
    np.testing.assert_allclose(runs.end_to_end, plain.end_to_end, atol=1e-6)


@pytest.mark.parametrize("optimizer", [LBFGS, GradientDescent(name="gd", max_iterations=40), Adam(name="adam")])
def test_a_run_has_the_same_bits_whatever_trains_beside_it(optimizer, draw_batch):
    optimizer = optimizer.model_copy(update={"max_iterations": 40})
    batch, x, y = draw((5, 3, 4), 7, 9, draw_batch)
    tasks = Tasks(y, batch.lams, batch.tolerance, x)
    whole = train(tasks, batch.starts, optimizer)
    for rows in (slice(4, 5), slice(2, 9)):
        some = [layer[rows] for layer in batch.starts]
        part = train(tasks.take(rows), some, optimizer, on=Execution(batch=3))
        for layer, other in zip(whole.take(rows).layers, part.layers, strict=True):
            np.testing.assert_array_equal(layer, other)
        np.testing.assert_array_equal(whole.gradient_norm[rows], part.gradient_norm)


def test_wide_layers_train_on_inputs_to_the_tolerance(draw_batch):
    """Where plain factorizations are refined from a curvature that inputs would change."""
    batch, x, y = draw((16, 16, 16), 20, 2, draw_batch)
    runs = train(Tasks(y, batch.lams, 1e-7 * np.ones(2), x), batch.starts, LBFGS)
    assert (runs.status == Status.CONVERGED).all()


def test_memory_grows_with_samples():
    widths = (6, 5, 4)
    more = bytes_of_a_run(widths, 3, 800) - bytes_of_a_run(widths, 3, 400)
    assert more >= 8 * 400 * sum(widths)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("inputs", (2, 4, 7), r"inputs: shape \(2, 4, 7\), expected \(2, 3, 7\) to match starts and inputs"),
        ("inputs", (3, 7), r"inputs: shape \(3, 7\), expected \(2, 3, 7\)"),
        ("targets", (2, 2, 6), r"targets: shape \(2, 2, 6\), expected \(2, 2, 7\)"),
    ],
)
def test_data_that_do_not_match_are_refused(name, shape, message, draw_batch):
    batch, x, y = draw((3, 3, 2), 7, 2, draw_batch)
    x, y = (np.ones(shape), y) if name == "inputs" else (x, np.ones(shape))
    with pytest.raises(ValueError, match=message):
        train(Tasks(y, batch.lams, batch.tolerance, x), batch.starts, LBFGS)


def test_inputs_that_are_not_finite_are_refused(draw_batch):
    batch, x, y = draw((3, 3, 2), 7, 2, draw_batch)
    x[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match=r"inputs: nan at \(1, 2, 3\), expected finite numbers"):
        train(Tasks(y, batch.lams, batch.tolerance, x), batch.starts, LBFGS)
