"""Small networks with L2 regularization as functions of their parameters, and certificates that a minimum is global.

Linear, convolutional and ReLU networks without bias, on squares or on cross-entropy with soft labels. Complex points
are for Hessians: a unit is on where the real part of what it gets is positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dmf import theory
from dmf.studies._derivatives import STEP, Floats, Numbers, flat
from dmf.studies._layers import layers_of, parameter_count
from dmf.studies._newton import minimize

SAMPLES = 6
LOOSE = 1e-7  # excess over the dual certificate, in units of lambda, up to which a minimum of two layers is global
MEANS = (0.9, 0.999)  # of Adam
MOST_DATA, SHORT, SHORT_STEPS, ALIVE = 60, 8, 80, 0.3  # of ReLU networks: draws of data, runs, their steps, and fits


@dataclass(frozen=True)
class Network:
    """loss(outputs) + lambda ||parameters||^2 for inputs (d_0, n), labels (d_L, n) and widths (d_0, ..., d_L).

    The loss is ||labels - outputs||^2, or the sum over samples of log sum exp(outputs) - <labels, outputs>. Layers
    whose entries share weights, such as convolutions, are W_l = patterns[l - 1] w_l, linear in k_l weights w_l; the
    penalty is that of the weights.
    """

    inputs: Floats
    labels: Floats
    widths: Sequence[int]
    lam: float
    activation: Literal["linear", "relu"] = "linear"
    loss: Literal["squares", "cross-entropy"] = "squares"
    patterns: Sequence[Floats] | None = None
    """(d_l, d_{l-1}, k_l) each; None where every entry is a weight"""

    @property
    def parameters(self) -> int:
        """N."""
        if self.patterns is None:
            return parameter_count(self.widths)
        return sum(pattern.shape[-1] for pattern in self.patterns)

    def weights(self, points: Numbers) -> list[Numbers]:
        """The weights of each layer (..., k_l), of points (..., N)."""
        if self.patterns is None:
            return [layer.reshape(*layer.shape[:-2], -1) for layer in layers_of(points, self.widths)]
        ends = np.cumsum([pattern.shape[-1] for pattern in self.patterns])[:-1]
        return list(np.split(points, ends, axis=-1))

    def layers(self, points: Numbers) -> list[Numbers]:
        """W_1, ..., W_L (..., d_l, d_{l-1}) of points (..., N)."""
        if self.patterns is None:
            return layers_of(points, self.widths)
        parts = zip(self.patterns, self.weights(points), strict=True)
        return [np.einsum("ijk,...k->...ij", pattern, weights) for pattern, weights in parts]

    @property
    def gain(self) -> float:
        """The largest spectral norm of a layer whose weights have norm 1, or more."""
        if self.patterns is None:
            return 1.0
        return max(float(np.linalg.norm(one.reshape(-1, one.shape[-1]), 2)) for one in self.patterns)

    def outputs(self, points: Numbers) -> Numbers:
        """The fit (..., d_L, n)."""
        return self._forward(self.layers(points))[-1]

    def values(self, points: Floats) -> Floats:
        """The objective (...)."""
        out, penalty = self.outputs(points), self.lam * np.sum(points**2, axis=-1)
        if self.loss == "squares":
            return np.asarray(np.sum((self.labels - out) ** 2, axis=(-2, -1)) + penalty)
        top = out.max(axis=-2, keepdims=True)
        partition = np.log(np.sum(np.exp(out - top), axis=-2)) + top[..., 0, :]
        return np.asarray(np.sum(partition - np.sum(self.labels * out, axis=-2), axis=-1) + penalty)

    def slope(self, out: Numbers) -> Numbers:
        """The gradient of the loss with respect to the outputs, (..., d_L, n)."""
        if self.loss == "squares":
            return np.asarray(2 * (out - self.labels))
        odds = np.exp(out - out.real.max(axis=-2, keepdims=True))
        return np.asarray(odds / odds.sum(axis=-2, keepdims=True) - self.labels)

    def gradients(self, points: Numbers) -> Numbers:
        """Gradients (..., N)."""
        layers = self.layers(points)
        ahead = self._forward(layers)
        slope, parts = self.slope(ahead[-1]), []
        for place in reversed(range(len(layers))):
            layer, below = layers[place], ahead[place]
            own = slope @ below.mT
            if self.patterns is not None:  # as a column: flat() takes matrices
                own = np.einsum("ijk,...ij->...k", self.patterns[place], own)[..., None]
            parts.append(own)
            slope = layer.mT @ slope
            if self.activation == "relu":
                slope = slope * (below.real > 0)
        return flat(parts[::-1]) + 2 * self.lam * points

    def sensitivity(self, point: Floats) -> float:
        """The spectral norm of the outputs' derivative at a point (N,)."""
        moved = point + 1j * STEP * np.eye(len(point))
        derivative = self.outputs(moved).imag.reshape(len(point), -1) / STEP
        return float(np.linalg.norm(derivative, 2))

    def _forward(self, layers: Sequence[Numbers]) -> list[Numbers]:
        """Inputs, what each hidden layer gives, and outputs."""
        found: list[Numbers] = [self.inputs]
        for place, layer in enumerate(layers):
            out = layer @ found[-1]
            hidden = place < len(layers) - 1 and self.activation == "relu"
            found.append(np.where(out.real > 0, out, 0) if hidden else out)
        return found


def dual_excess(network: Network, outputs: Floats) -> float:
    """How far the outputs (d_L, n) of two layers are from the dual certificate of a global minimum, in units of lambda.

    With R = -(1/2) d loss / d outputs: ||R inputs^T||_2 / lambda - 1 for linear layers; for ReLU with one output and
    inputs in the plane max_w |sum_i r_i relu(x_i^T w)| / lambda - 1 over unit vectors w. That is exact: between the
    directions in which a unit turns on or off it is linear in w. At most 0 at a global minimum over all widths.
    """
    residual = -network.slope(outputs) / 2
    if network.activation == "linear":
        return float(np.linalg.norm(residual @ network.inputs.T, 2) / network.lam - 1)
    x, r = network.inputs, residual[0]
    edges = np.arctan2(x[1], x[0])
    edges = np.sort(np.concatenate([edges + np.pi / 2, edges - np.pi / 2]) % (2 * np.pi))
    middles = (edges + np.append(edges[1:], edges[0] + 2 * np.pi)) / 2
    on = x.T @ np.array([np.cos(middles), np.sin(middles)]) > 0  # (sample, arc)
    best = (x * r) @ on  # the gradient on each arc, (2, arc)
    inward = best / np.maximum(np.linalg.norm(best, axis=0), np.finfo(float).tiny)
    directions = np.hstack([inward, -inward, [np.cos(edges), np.sin(edges)]])
    heights = np.abs(r @ np.maximum(x.T @ directions, 0))
    return float(heights.max() / network.lam - 1)


def convolution(size: int, length: int, circular: bool) -> Floats:
    """The pattern of a convolution of signals of `size` with kernels of `length`, (d_l, size, length).

    Circular: y_i = sum_k w_k x_{i-k}, indices modulo `size`. Otherwise valid: y_i = sum_k w_k x_{i+k} where all exist.
    """
    rows = size if circular else size - length + 1
    i, k = np.meshgrid(np.arange(rows), np.arange(length), indexing="ij")
    pattern = np.zeros((rows, size, length))
    pattern[i, (i - k) % size if circular else i + k, k] = 1.0
    return pattern


def in_two_dimensions(one: Floats, other: Floats) -> Floats:
    """The pattern of a convolution of images: of rows by `one`, of columns by `other`."""
    both = np.einsum("ijk,abc->iajbkc", one, other)
    return np.asarray(
        both.reshape([len(one) * len(other), one.shape[1] * other.shape[1], one.shape[2] * other.shape[2]])
    )


def circular_minimum(network: Network, sizes: tuple[int, ...]) -> tuple[float, Floats]:
    """The global minimum of circular convolutions with kernels as long as the signal, and its W_L ... W_1.

    Signals have the axes `sizes`. The Fourier transform splits the problem into one scalar for each frequency, with
    target m and lambda / c for inputs of energy c there (docs/theory.md, section 15). One W where no |m| is at m*.
    """
    depth, count = len(network.widths) - 1, int(np.prod(sizes))
    axes = tuple(range(len(sizes)))
    z, y = (
        np.fft.fftn(one.reshape(*sizes, -1), axes=axes).reshape(count, -1) for one in (network.inputs, network.labels)
    )
    energy = np.sum(np.abs(z) ** 2, axis=1)
    m = np.sum(y * z.conj(), axis=1) / energy
    parts = zip(np.abs(m), network.lam / energy, strict=True)
    x = np.array([float(theory.scalar_minimizer(size, depth, lam)) for size, lam in parts])
    misfit = np.sum(np.abs(y) ** 2, axis=1) - energy * np.abs(m) ** 2 + energy * (np.abs(m) - x) ** 2
    value = float(np.sum(misfit + network.lam * depth * x ** (2 / depth))) / count
    kernel = np.fft.ifftn((x * m / np.abs(m)).reshape(sizes)).real
    # Column j is the kernel moved by j.
    columns = [np.roll(kernel, place, axes).ravel() for place in np.ndindex(*sizes)]
    return value, np.array(columns).T


def adam(network: Network, starts: Floats, steps: int, rate: float, decoupled: bool = False) -> Floats:
    """Where Adam with full batches is after some steps from starts (S, N), at rates that fall to 0.

    Decay is that of the objective or, if decoupled, of AdamW with weight_decay = 2 lambda.
    """
    points, slope, square = starts.copy(), np.zeros_like(starts), np.zeros_like(starts)
    for number in range(1, steps + 1):
        decay = 2 * network.lam * points if decoupled else np.zeros_like(points)
        gradient = network.gradients(points) - decay
        slope += (1 - MEANS[0]) * (gradient - slope)
        square += (1 - MEANS[1]) * (gradient**2 - square)
        ratio = slope / (1 - MEANS[0] ** number) / (np.sqrt(square / (1 - MEANS[1] ** number)) + 1e-8)
        points -= rate * (1 - number / steps) * (ratio + decay)
    return points


def smooth_relu(rng: np.random.Generator) -> Network:
    """Inputs (x, 1): the second column of the first layer is its bias, penalized like the rest.

    At most data the minimum has units that turn on exactly at a sample, where no gradient vanishes. So data are drawn
    until some of a few short runs end at a smooth global minimum other than zero, as the dual certificate tells.
    """
    for _ in range(MOST_DATA):
        inputs = np.vstack([1.5 * rng.standard_normal(SAMPLES), np.ones(SAMPLES)])
        network = Network(inputs, rng.standard_normal((1, SAMPLES)), (2, 6, 1), 0.4, "relu")
        ends = minimize(network, rng.standard_normal((SHORT, network.parameters)), 1e-10, SHORT_STEPS)
        outputs = network.outputs(ends.points)
        excess = np.array([dual_excess(network, out) for out in outputs])
        alive = np.linalg.norm(outputs, axis=(1, 2)) > ALIVE * np.linalg.norm(network.labels)
        if np.sum((ends.gradient_norm < 1e-10) & (excess < LOOSE) & alive) >= SHORT // 2:
            break
    return network
