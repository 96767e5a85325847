"""Deep linear networks on inputs and outputs, and measurements of matrices: the same engines with a constant factor."""

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

BOTH = pytest.mark.parametrize("device", ["cpu", "torch"])
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


@BOTH
@pytest.mark.parametrize(("widths", "samples"), SHAPES)
def test_the_record_is_that_of_the_network_on_its_data(widths, samples, draw_batch):
    batch, x, y = draw(widths, samples, 3, draw_batch)
    runs = batch.train(Lbfgs(name="lbfgs", max_iterations=3), inputs=x, targets=y)
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


@BOTH
@pytest.mark.parametrize("optimizer", [LBFGS, Continuation(name="continuation", stages=3)], ids=lambda o: o.name)
def test_identity_inputs_change_nothing_but_roundings(optimizer, draw_batch):
    batch = draw_batch((4, 3, 3), 12)
    eye = np.broadcast_to(np.eye(4), (12, 4, 4))
    plain = batch.train(optimizer)
    runs = batch.train(optimizer, inputs=eye)
    assert (runs.status == Status.CONVERGED).all()
    np.testing.assert_allclose(runs.hessian_trace, plain.hessian_trace, rtol=1e-6)
    np.testing.assert_allclose(runs.end_to_end, plain.end_to_end, atol=1e-6)


@BOTH
@pytest.mark.parametrize("optimizer", [LBFGS, GradientDescent(name="gd", max_iterations=40), Adam(name="adam")])
def test_a_run_has_the_same_bits_whatever_trains_beside_it(optimizer, device, draw_batch):
    optimizer = optimizer.model_copy(update={"max_iterations": 40})
    batch, x, y = draw((5, 3, 4), 7, 9, draw_batch)
    tasks = Tasks(y, batch.lams, batch.tolerance, x)
    whole = train(tasks, batch.starts, optimizer, on=Execution(device))
    for rows in (slice(4, 5), slice(2, 9)):
        some = [layer[rows] for layer in batch.starts]
        part = train(tasks.take(rows), some, optimizer, on=Execution(device, batch=3))
        for layer, other in zip(whole.take(rows).layers, part.layers, strict=True):
            np.testing.assert_array_equal(layer, other)
        np.testing.assert_array_equal(whole.gradient_norm[rows], part.gradient_norm)


@pytest.mark.parametrize(("widths", "samples"), [((16, 16, 16), 20), ((33, 34, 35), 70)])
def test_wide_layers_train_on_inputs_to_the_tolerance_and_to_one_value_in_both_engines(widths, samples, draw_batch):
    """Where plain runs are refined from a curvature that inputs would change, and where factors are packed."""
    batch, x, y = draw(widths, samples, 2, draw_batch)
    one, other = (batch.train(inputs=x, targets=y, device=device) for device in ("cpu", "torch"))
    assert (one.status == Status.CONVERGED).all()
    np.testing.assert_allclose(one.objective, other.objective, rtol=1e-12)


def test_memory_grows_with_data():
    assert bytes_of_a_run((6, 5, 4), 3, 800) - bytes_of_a_run((6, 5, 4), 3, 400) >= 8 * 400


def measure(widths: tuple[int, ...], count: int, number: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Measuring matrices (run, d_L d_0, n), each a column, and what was measured (run, 1, n)."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, widths[0] * widths[-1], number)), rng.standard_normal((count, 1, number))


@BOTH
@pytest.mark.parametrize(("widths", "number"), [((3, 4, 2), 5), ((2, 5, 3, 4), 11), ((6, 3, 3, 5), 40), ((1, 2, 3), 1)])
def test_the_record_is_that_of_the_matrix_on_its_measurements(widths, number, draw_batch):
    batch, (operators, seen) = draw_batch(widths, 3), measure(widths, 3, number)
    runs = batch.train(Lbfgs(name="lbfgs", max_iterations=3), inputs=operators, targets=seen)
    for i in range(3):
        weights = [torch.from_numpy(layer[i]).requires_grad_() for layer in runs.layers]
        product = weights[0]
        for weight in weights[1:]:
            product = weight @ product
        gap = torch.einsum("kn,k->n", torch.from_numpy(operators[i]), product.flatten()) - torch.from_numpy(seen[i, 0])
        value = gap.square().sum() + batch.lams[i] * sum(weight.square().sum() for weight in weights)
        slope = torch.cat([part.flatten() for part in torch.autograd.grad(value, weights)])
        assert runs.objective[i] == pytest.approx(value.item(), rel=1e-12)
        assert runs.gradient_norm[i] == pytest.approx(slope.norm().item(), rel=1e-10)
        np.testing.assert_allclose(runs.end_to_end[i], product.detach(), rtol=1e-12, atol=1e-14)
    assert np.isnan(runs.hessian_trace).all(), "no formula here knows it"


@BOTH
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_with_every_entry_measured_runs_are_those_on_the_target(depth, draw_batch):
    batch = draw_batch((4,) * (depth + 1), 5, lams=(0.05, 0.05))
    operators = np.broadcast_to(np.eye(16), (5, 16, 16))
    run, plain = batch.train(inputs=operators, targets=batch.targets.reshape(5, 1, 16)), batch.train()
    assert (run.status == Status.CONVERGED).all()
    np.testing.assert_allclose(run.objective, plain.objective, rtol=1e-12)
    np.testing.assert_allclose(run.end_to_end, plain.end_to_end, atol=1e-7)


@BOTH
def test_measurements_of_nothing_change_nothing(draw_batch):
    batch, (operators, seen) = draw_batch((4, 4, 3), 2), measure((4, 4, 3), 2, 9)
    more = [np.pad(array, ((0, 0), (0, 0), (0, 3))) for array in (operators, seen)]
    one, other = batch.train(inputs=operators, targets=seen), batch.train(inputs=more[0], targets=more[1])
    np.testing.assert_allclose(one.objective, other.objective, rtol=1e-12)
    np.testing.assert_allclose(one.end_to_end, other.end_to_end, atol=1e-7)


@BOTH
def test_a_limit_of_iterations_is_said_and_a_start_that_is_not_finite_diverges(draw_batch):
    batch, (operators, seen) = draw_batch((4, 4, 3), 2), measure((4, 4, 3), 2, 9)
    batch.starts[0][1] = np.nan
    runs = batch.train(Lbfgs(name="lbfgs", max_iterations=3), inputs=operators, targets=seen)
    assert runs.status.tolist() == [Status.ITERATION_LIMIT, Status.DIVERGED]


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("inputs", (2, 4, 7), r"inputs: shape \(2, 4, 7\), expected \(2, 3, 7\) to match starts and inputs"),
        ("inputs", (3, 7), r"inputs: shape \(3, 7\), expected \(2, 3, 7\)"),
        ("targets", (2, 2, 6), r"targets: shape \(2, 2, 6\), expected \(2, 2, 7\)"),
        ("inputs", (2, 6, 7), r"targets: shape \(2, 2, 7\), expected \(2, 1, 7\)"),
    ],
)
def test_data_that_do_not_match_are_refused(name, shape, message, draw_batch):
    batch, x, y = draw((3, 3, 2), 7, 2, draw_batch)
    x, y = (np.ones(shape), y) if name == "inputs" else (x, np.ones(shape))
    with pytest.raises(ValueError, match=message):
        train(Tasks(y, batch.lams, batch.tolerance, x), batch.starts, LBFGS)


def test_no_samples_are_refused(draw_batch):
    batch, x, y = draw((3, 3, 2), 7, 2, draw_batch)
    with pytest.raises(ValueError, match="inputs: 0 samples, expected one or more"):
        train(Tasks(y[:, :, :0], batch.lams, batch.tolerance, x[:, :, :0]), batch.starts, LBFGS)


def test_inputs_that_are_not_finite_are_refused(draw_batch):
    batch, x, y = draw((3, 3, 2), 7, 2, draw_batch)
    x[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match=r"inputs: nan at \(1, 2, 3\), expected finite numbers"):
        train(Tasks(y, batch.lams, batch.tolerance, x), batch.starts, LBFGS)
