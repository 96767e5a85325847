"""Changes of the science that must not go unnoticed: each is one edit, and where it would be seen.

`make mutants` applies them one at a time (see run.py). A mutant is caught if a verdict on a small grid changes, or else
if a test of its room fails.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One edit: `old`, which the file holds once, becomes `new`. `tests` are those of the room."""

    name: str
    file: str
    old: str
    new: str
    tests: str


def _of(file: str, tests: str, *edits: tuple[str, str, str]) -> list[Mutant]:
    return [Mutant(name, f"scripts/dmf/{file}", old, new, f"tests/{tests}") for name, old, new in edits]


MUTANTS: list[Mutant] = [
    *_of(
        "theory/scalar.py",
        "theory",
        (
            "objective of a singular value without the factor L",
            "+ lam * depth * np.abs(x) ** (2 / depth))",
            "+ lam * np.abs(x) ** (2 / depth))",
        ),
        (
            "critical lambda with L - 1 for L - 2",
            "** (2 * (depth - 1) / depth) / (depth - 2))",
            "** (2 * (depth - 1) / depth) / (depth - 1))",
        ),
        (
            "critical lambda one part in a million too large",
            "/ depth) / (depth - 2))",
            "/ depth) / (depth - 2) * (1 + 1e-6))",
        ),
        ("jump with L - 1 for L - 2", "x_jump = np.asarray((depth - 2.0)", "x_jump = np.asarray((depth - 1.0)"),
        ("m* with L for L - 1", "x_jump * (depth - 1) / (depth - 2)", "x_jump * depth / (depth - 2)"),
        (
            "m_loc with L for L - 1",
            "inflection * 2 * (depth - 1) / (depth - 2)",
            "inflection * 2 * depth / (depth - 2)",
        ),
        (
            "minimizer jumps at x_J instead of m*",
            "kept = size > tie(depth, lam)[0]",
            "kept = size > tie(depth, lam)[1]",
        ),
        ("soft threshold at twice lambda", "root[exists] = m - lam", "root[exists] = m - 2 * lam"),
        ("branch lambda with L - 1 for L", "half * depth * (half", "half * (depth - 1) * (half"),
        ("Newton's method stops early", "_MOST_STEPS):\n            move = step(u)", "1):\n            move = step(u)"),
    ),
    *_of(
        "theory/matrix.py",
        "theory",
        (
            "Schatten power 1 / L for 2 / L",
            "lam * depth * np.sum(values ** (2 / depth))",
            "lam * depth * np.sum(values ** (1 / depth))",
        ),
        ("layer norm with power 1 / L", "np.sum(x ** (2 / depth))", "np.sum(x ** (1 / depth))"),
        (
            "objective without the penalty of one layer",
            "for layer in layers))\n\n\ndef schatten",
            "for layer in layers[1:]))\n\n\ndef schatten",
        ),
        (
            "rank of X* counts local minima",
            "np.count_nonzero(singular_values(target) > collapse_threshold(",
            "np.count_nonzero(singular_values(target) > branch_threshold(",
        ),
        (
            "levels only above m*",
            "np.count_nonzero(sigma > branch_threshold(depth, lam))",
            "np.count_nonzero(sigma > collapse_threshold(depth, lam))",
        ),
        ("a level forgets what it drops", "kept_part) + dropped_part", "kept_part) + 0.9 * dropped_part"),
        (
            "distance to the exceptional set from the farthest value",
            "np.min(np.abs(sigma - m_star))",
            "np.max(np.abs(sigma - m_star))",
        ),
        ("a sampled minimizer is not balanced", "s = x[:rank] ** (1 / depth)", "s = x[:rank] ** (1.01 / depth)"),
    ),
    *_of(
        "theory/spectrum.py",
        "theory",
        ("symmetric moves have curvature 2 lambda", "kept * (depth - 1), 4 * lam)", "kept * (depth - 1), 2 * lam)"),
        ("the pull of lambda has the other sign", "(powers - pull)", "(powers + pull)"),
        ("odd pairs at half", "odd = 2 * (sigma", "odd = (sigma"),
        (
            "dropped pairs without a difference",
            "(sigma[:, None] - dropped)).ravel(), (slope",
            "(sigma[:, None] + dropped)).ravel(), (slope",
        ),
        (
            "the orbit of O(r) with r + 1 for r - 1",
            "rank * (rank + 1) // 2 for width",
            "rank * (rank - 1) // 2 for width",
        ),
        ("mu passes over small eigenvalues", "values > ZERO_MODE * largest", "values > 0.2 * largest"),
        ("mu a hundred times too small", "return float(positive.min())", "return float(positive.min()) / 100"),
        ("mu four times too large", "return float(positive.min())", "return 4 * float(positive.min())"),
    ),
    *_of(
        "theory/hessian.py",
        "theory",
        ("both empty products of the trace of one width", "below[0] = d[-1], d[0]", "below[0] = d[0], d[0]"),
        (
            "Theorem 15's constant 2.3 times too large",
            "float(2 * depth * np.sum(x**2)",
            "float(2.3 * 2 * depth * np.sum(x**2)",
        ),
        (
            "Theorem 15's constant a millionth too large",
            "float(2 * depth * np.sum(x**2)",
            "float(2.000002 * depth * np.sum(x**2)",
        ),
        (
            "trace without the regularization of some parameters",
            "2 * lam * parameter_count(d))\n\n\ndef trace",
            "2 * lam * (parameter_count(d) - 1))\n\n\ndef trace",
        ),
        ("scalar spectrum with L - 1 for L - 2", "2 * lam * (depth - 2)", "2 * lam * (depth - 1)"),
    ),
    *_of(
        "theory/certificate.py",
        "theory",
        ("safety 3 for 2", "SAFETY = 2.0", "SAFETY = 3.0"),
        ("safety 1 for 2", "SAFETY = 2.0", "SAFETY = 1.0"),
        (
            "radius a hundred times too large",
            "return np.asarray(SAFETY * gradient_norm",
            "return np.asarray(100 * SAFETY * gradient_norm",
        ),
        (
            "gap tolerance a million times too large",
            "return np.asarray(gradient_gap(gradient_norm, mu)",
            "return np.asarray(1e6 * gradient_gap(gradient_norm, mu)",
        ),
        (
            "imbalance tolerance a hundred times too large",
            "slope = np.sqrt(pair_sq) / (2 * lam)",
            "slope = 100 * np.sqrt(pair_sq) / (2 * lam)",
        ),
        (
            "imbalance tolerance without its square root",
            "slope = np.sqrt(pair_sq) / (2 * lam)",
            "slope = pair_sq / (2 * lam)",
        ),
        (
            "layer norm tolerance a hundred times too large",
            "return np.asarray(2 * alpha * distance +",
            "return np.asarray(200 * alpha * distance +",
        ),
        (
            "layer norm tolerance a hundred times too small",
            "return np.asarray(2 * alpha * distance +",
            "return np.asarray(0.02 * alpha * distance +",
        ),
        (
            "trace tolerance a hundred times too large",
            "return np.asarray(2 * (len(widths) - 1)",
            "return np.asarray(200 * (len(widths) - 1)",
        ),
        (
            "product tolerance a hundred times too large",
            "return np.asarray(np.sqrt(depth) *",
            "return np.asarray(100 * np.sqrt(depth) *",
        ),
        ("product tolerance without sqrt(L)", "return np.asarray(np.sqrt(depth) *", "return np.asarray("),
        ("rounding ten thousand times too large", "ROUNDING = 64 * EPS", "ROUNDING = 640000 * EPS"),
        ("the Hessian's Lipschitz constant too small", "turning = 6 * depth**0.5", "turning = 6e-6 * depth**0.5"),
        ("the exceptional set a percent wide", "RESOLUTION = 1e-12", "RESOLUTION = 1e-2"),
    ),
    *_of(
        "training/compiled_engine/measure.py",
        "training/test_measure.py",
        ("measured gradient a tenth", "np.sqrt(lanes[layout.square, v])", "np.sqrt(lanes[layout.square, v]) / 10"),
        (
            "imbalance of the first pair only",
            "for i in range(at.depth - 1):\n        gap",
            "for i in range(1):\n        gap",
        ),
        ("objective without a millionth of its penalty", "+ lam * total", "+ lam * total * (1 - 1e-6)"),
        ("trace without a factor 2", "trace += 2 * lanes", "trace += lanes"),
        (
            "layer norms of the first layer",
            "= lanes[layout.norms + i, v]\n        trace",
            "= lanes[layout.norms, v]\n        trace",
        ),
    ),
    *_of(
        "training/compiled_engine/measure.py",
        "training/test_inputs.py",
        ("trace of a network without its inputs", "    if at.samples > 0:\n", "    if at.samples < 0:\n"),
    ),
    *_of(
        "studies/_derivatives.py",
        "studies/test_derivatives.py",
        ("Hessians with half of lambda", "+ 2 * self.lam * points", "+ self.lam * points"),
    ),
    *_of(
        "training/torch_engine/engine.py",
        "training/test_measure.py",
        (
            "torch: imbalance of the first pair only",
            "in pairwise(layers)]\n    return torch.stack(gaps)",
            "in pairwise(layers)][:1]\n    return torch.stack(gaps)",
        ),
        (
            "torch: measured gradient a tenth",
            "gradient.square().sum(1).sqrt(),",
            "gradient.square().sum(1).sqrt() / 10,",
        ),
        ("torch: trace without a factor 2", "return 2 * sum((a * b for", "return sum((a * b for"),
    ),
    *_of(
        "proof/hessian.py",
        "proof/test_hessian.py",
        ("proof: mixed second derivatives halved", "block = 2 * np.einsum", "block = 1 * np.einsum"),
        ("proof: a Hessian without error", "return matrix, SLACK * error", "return matrix, 0.0"),
    ),
    *_of(
        "proof/minimizer.py",
        "proof/test_minimizer.py",
        ("proof: radius a quarter", "radius = SLACK * 2 * gradient", "radius = SLACK * 0.5 * gradient"),
        ("proof: any frame is tangent to the orbit", "    if count == 0:", "    if count >= 0:"),
        (
            "proof: curvature without a verified decomposition",
            "if mu > 0 and is_definite(shifted, SLACK * (formed + rounding)):",
            "if mu > 0:",
        ),
    ),
    *_of(
        "proof/balls.py",
        "proof/test_balls.py",
        ("proof: singular values without a residual", "* stretch, residual)", "* stretch, 0 * residual)"),
    ),
    *_of(
        "proof/statements.py",
        "proof/test_statements.py",
        ("proof: global on the exceptional set", "return not self.forms.exceptional and", "return"),
    ),
    *_of(
        "grid/cells.py",
        "grid/test_cells.py",
        ("starts of all lambdas are shared", "list(key.widths), key.label, series", "list(key.widths), series"),
        ("starts of all targets are shared", "key.seed, key.target, list", "key.seed, list"),
        ("all starts of a series are one", "generators(stream, indices)", "generators(stream, [0] * len(indices))"),
    ),
    *_of(
        "theory/certificate.py",
        "theory/test_certificate.py",
        ("every sublevel set confines", "np.asarray(excess < mu *", "np.asarray(excess < 1e9 + mu *"),
    ),
    *_of(
        "studies/branches.py",
        "studies/test_branches.py",
        ("branches: trace of an empty product one too small", "a[0] = size", "a[0] = size - 1"),
    ),
    *_of(
        "studies/components.py",
        "studies/test_components.py",
        ("components: the pass at zero for every depth", "top = 0.0 if depth == 2", "top = 0.0 if depth > 1"),
    ),
    *_of(
        "studies/_paths.py",
        "studies/test_components.py",
        ("components: reflections join", "                return None", "                pass"),
    ),
    *_of(
        "studies/_models.py",
        "studies/test_any_model.py",
        ("any model: the dual of one sign", "np.hstack([inward, -inward,", "np.hstack([inward,"),
        ("any model: convolutions turned round", "(i - k) % size if circular", "(i + k) % size if circular"),
    ),
    *_of(
        "studies/any_model.py",
        "studies/test_any_model.py",
        ("any model: circular minima are not looked up", "(ends.values - least) / network.lam", "np.zeros(DRAWS)"),
    ),
    *_of(
        "studies/sweeps.py",
        "studies/test_sweeps.py",
        (
            "sweeps: the lowest run is global",
            "least = least_value(network, points[certified])",
            "least = ends.values.min()",
        ),
    ),
    *_of(
        "studies/sensitivity.py",
        "studies/test_sensitivity.py",
        ("sensitivity: Stein's tolerance", "ERRORS * error + window", "50 * ERRORS * error + window"),
    ),
    *_of(
        "studies/denoising.py",
        "studies/test_denoising.py",
        (
            "denoising: the control's noise is equal",
            "np.ones((rows, 1)) if equal else",
            "np.ones((rows, 1)) if True else",
        ),
    ),
    *_of(
        "studies/relu_layers.py",
        "studies/test_relu_layers.py",
        ("ReLU layers: a best value without a certificate", "(excess <= LOOSE)", "(excess <= 1e9)"),
    ),
    *_of(
        "studies/missing_entries.py",
        "studies/test_missing_entries.py",
        ("missing entries: all entries pull", "slope = 2 * self.mask *", "slope = 2 *"),
    ),
    *_of(
        "studies/_newton.py",
        "studies/test_branches.py",
        ("Newton's method climbs", "size = np.abs(curvature)", "size = curvature"),
    ),
    *_of(
        "api/reference.py",
        "api/test_reference.py",
        ("reference: quartic directions count whole", "/ 2 - quartic / 4", "/ 2 - quartic / 2"),
    ),
]
