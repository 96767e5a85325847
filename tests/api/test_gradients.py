"""`dmf.FullGradient` against autograd with regard to the weights, in batches, with adapters and without."""

import numpy as np
import pytest
import torch

import dmf


class Adapted(torch.nn.Module):
    """A layer as peft wraps it: W_0 frozen, and c B A beside it."""

    def __init__(self, base: torch.nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.base_layer, self.scale = base.requires_grad_(False), scale
        self.in_features = base.in_features
        self.lora_A = torch.nn.Linear(base.in_features, rank, bias=False)
        self.lora_B = torch.nn.Linear(rank, base.out_features, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base_layer(x) + self.scale * self.lora_B(self.lora_A(x))


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = Adapted(torch.nn.Linear(5, 4), 2, 2.0), Adapted(torch.nn.Linear(4, 3), 2, 2.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.first(x)))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(3)
    return Net().double()


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(4)
    return torch.randn(6, 7, 5, dtype=torch.float64), torch.randint(3, (6, 7))


def loss(net: Net, x: torch.Tensor, y: torch.Tensor, batches: int) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(net(x).flatten(0, -2), y.flatten()) / batches


def test_frozen_layers_have_the_gradient_of_autograd_whatever_the_batches(net, data):
    x, y = data
    for layer in (net.first, net.last):
        layer.base_layer.weight.requires_grad_(True)
    loss(net, x, y, 1).backward()
    expected = {name: getattr(net, name).base_layer.weight.grad.numpy().copy() for name in ("first", "last")}
    for layer in (net.first, net.last):
        layer.base_layer.weight.requires_grad_(False)
    for size in (1, 2, 6):
        with dmf.FullGradient(net) as gradient:
            for part, labels in zip(x.split(size), y.split(size), strict=True):
                loss(net, part, labels, 6 // size).backward()
            with torch.no_grad():
                net(x)  # as an evaluation in between: it adds nothing
        assert gradient.matrices.keys() == expected.keys()
        for name, matrix in expected.items():
            np.testing.assert_allclose(gradient.matrices[name], matrix, rtol=0, atol=1e-15)


def test_the_gradient_is_the_one_that_balances_a_critical_pair(net, data):
    """dF/dB = c G A^T + 2 lam B, from the sums alone, is what autograd finds for B with its weight decay."""
    x, y = data
    with dmf.FullGradient(net) as gradient:
        loss(net, x, y, 1).backward()
    layer = net.last
    a = layer.lora_A.weight.detach().numpy()
    np.testing.assert_allclose(2.0 * gradient.matrices["last"] @ a.T, layer.lora_B.weight.grad.numpy(), atol=1e-15)


def test_afterwards_the_model_adds_nothing_more(net, data):
    x, y = data
    with dmf.FullGradient(net) as gradient:
        loss(net, x, y, 1).backward()
    before = gradient.matrices["last"].copy()
    loss(net, x, y, 1).backward()
    np.testing.assert_array_equal(gradient.matrices["last"], before)


def test_names_are_those_of_the_audit(net, data):
    x, y = data
    wrapped = torch.nn.ModuleDict({"base_model": torch.nn.ModuleDict({"model": net})})
    with dmf.FullGradient(wrapped) as gradient:
        loss(net, x, y, 1).backward()
    assert gradient.matrices.keys() == {"first", "last"}


def test_what_cannot_be_watched_is_refused(net):
    with pytest.raises(TypeError, match="got list, expected a torch module"):
        dmf.FullGradient([])
    with pytest.raises(ValueError, match="got no linear layer"):
        dmf.FullGradient(torch.nn.Tanh())
    convolution = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 2), torch.nn.Linear(2, 2))
    convolution[0].base_layer = torch.nn.Conv2d(1, 1, 2)
    with pytest.raises(ValueError, match="got no adapted linear layer"):
        dmf.FullGradient(convolution)
    with pytest.raises(ValueError, match="expected a backward pass"), dmf.FullGradient(net):
        pass
    with pytest.raises(KeyError), dmf.FullGradient(net):
        raise KeyError("the error of the block, not ours")
