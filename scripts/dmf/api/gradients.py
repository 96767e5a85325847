"""`dmf.FullGradient`: the gradients that an audit needs, summed while a torch model runs over its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jaxtyping import Float64

Array = NDArray[np.float64]
PEFT = "base_model.model."  # what peft puts before the name of every module


class FullGradient:
    r"""Sums the gradient G of a loss f with regard to W_0 + X of every adapted layer, for `dmf.audit`.

    Args:
        model: a torch module. Layers are linear ones with a `base_layer`, as peft makes them; where no layer has one,
            all linear ones. Frozen weights are no obstacle: G is the sum over samples of (d f / d output) input^T.

    Every backward pass in the `with` block adds its part, in float64, so the losses must add up to f: of equal batches
    each mean is divided by their number. Dropout makes f another loss: call `model.eval()` before. `matrices` has G
    (d_out, d_in) of each layer in units of f, by the name that `dmf audit` prints. Raises TypeError for what is no
    torch module, ValueError for a model without such layers, and where the block ends without a backward pass.

    >>> import dmf, torch
    >>> layer = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False))
    >>> with dmf.FullGradient(layer) as gradient:
    ...     for x in ([1.0, 2.0], [3.0, 4.0]):
    ...         layer(torch.tensor([x])).sum().backward()
    >>> gradient.matrices
    {'0': array([[4., 6.]])}
    """

    def __init__(self, model: Any) -> None:
        """Find the layers. Raises TypeError and ValueError."""
        if not hasattr(model, "named_modules"):
            raise TypeError(f"model: got {type(model).__name__}, expected a torch module")
        modules = dict(model.named_modules())
        adapted = {name: module for name, module in modules.items() if hasattr(module, "base_layer")}
        # The input of a convolution is no matrix of samples.
        layers = {name: one for name, one in (adapted or modules).items() if hasattr(one, "in_features")}
        if not layers:
            raise ValueError(f"model: got no {'adapted ' * bool(adapted)}linear layer, expected one or more")
        self.matrices: dict[str, Float64[Array, "d_out d_in"]] = {}
        self._layers = {name.removeprefix(PEFT): module for name, module in layers.items()}
        self._hooks: list[Any] = []

    def __enter__(self) -> Self:
        """Begin to add."""
        for name, layer in self._layers.items():
            self._hooks.append(layer.register_forward_hook(self._watch(name)))
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Leave the model as it was. Raises ValueError where nothing was added."""
        while self._hooks:
            self._hooks.pop().remove()
        if kind is None and not self.matrices:
            raise ValueError("FullGradient: expected a backward pass through the model in its block, got none")

    def _watch(self, name: str) -> Any:
        def forward(_: Any, inputs: tuple[Any, ...], output: Any) -> None:
            seen = inputs[0].detach()

            def backward(slope: Any) -> None:
                rows = slope.detach().reshape(-1, slope.shape[-1]).double().T
                part = (rows @ seen.reshape(-1, seen.shape[-1]).double()).cpu().numpy()
                self.matrices[name] = self.matrices.get(name, 0.0) + part

            if output.requires_grad:  # not in evaluations without gradients
                output.register_hook(backward)

        return forward
