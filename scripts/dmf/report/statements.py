"""Every statement of the paper, in its order, and what checks it here; what nothing numerical can check says why.

A claim names the statements that it checks, a figure those that it shows (`dmf.claims`, `dmf.figures`). Here are their
texts, what tests alone check, and what cannot be checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dmf.claims import load_claims
from dmf.figures import FIGURES

APPENDIX = "tests/theory/test_appendix.py"
CONVENTION = "a definition: it fixes words, and is true or false of nothing"
BEYOND = "Beyond the paper"


@dataclass(frozen=True)
class Statement:
    """A statement by its number in the paper, and what checks it: claims, figures, property tests, or `unchecked`.

    `text` and `unchecked` may hold LaTeX between dollar signs. `unchecked` is the reason why no number decides it.
    `topic` tells statements of one number apart.
    """

    number: str
    text: str
    tests: tuple[str, ...] = ()
    unchecked: str = ""
    topic: str = ""

    @property
    def name(self) -> str:
        """What claims and figures call it."""
        return f"{self.number}: {self.topic}" if self.topic else self.number

    @property
    def claims(self) -> tuple[str, ...]:
        """Names of the claims that check it, in the order of reports."""
        return tuple(name for name, claim in load_claims().items() if self.name in claim.statements)

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the figures that show it, in the order of reports."""
        return tuple(name for name, source in FIGURES.items() if self.name in source.statements)


@dataclass(frozen=True)
class Check:
    """A claim that checks a statement: its verdict's word, None where this report has none."""

    claim: str
    word: str | None


@dataclass(frozen=True)
class Row:
    """A statement as this report shows it: its claims with verdicts, and its figures with whether they are drawn."""

    statement: Statement
    checks: tuple[Check, ...]
    figures: tuple[tuple[str, bool], ...]


def rows(words: Mapping[str, str], drawn: frozenset[str]) -> list[Row]:
    """All statements, given the words of the report's verdicts by claim and the names of its figures."""
    return [
        Row(
            statement,
            tuple(Check(name, words.get(name)) for name in statement.claims),
            tuple((name, name in drawn) for name in statement.figures),
        )
        for statement in STATEMENTS
    ]


STATEMENTS = (
    Statement("Definition 1", "The full singular value decomposition.", unchecked=CONVENTION),
    Statement(
        "Equations 2-3",
        r"The objective $F = \|M - W_L \cdots W_1\|_F^2 + \lambda \sum_l \|W_l\|_F^2$ with hidden widths of at least "
        r"$\min(d_0, d_L)$.",
        tests=("tests/training/torch_engine/test_objective.py", "tests/theory/test_matrix.py"),
    ),
    Statement(
        "Section 1",
        r"Training a deep linear network on whitened inputs $Z$ is factorizing $M = Y Z^\top$ (Chou et al., 2024).",
        tests=(APPENDIX, "tests/theory/test_linear_network.py", "tests/training/test_inputs.py"),
    ),
    Statement(
        "Theorem 2",
        r"Layers are balanced, $W_{l+1}^\top W_{l+1} = W_l W_l^\top$, so they share their singular values, and their "
        "singular vectors align.",
        tests=("tests/theory/test_proofs.py",),
    ),
    Statement(
        "Theorem 3",
        r"$\min F = \min_X \|M - X\|_F^2 + \lambda L \|X\|_{S_{2/L}}^{2/L}$, and minimizers of either give minimizers "
        "of the other.",
        tests=("tests/theory/test_matrix.py",),
    ),
    Statement(
        "Theorem 5",
        r"The scalar problem has one end-to-end minimizer for every $m$ but $\pm m^*$, where it has two.",
        tests=("tests/theory/test_scalar.py", "tests/theory/test_accuracy.py"),
    ),
    Statement("Figure 1", "The objective of one singular value."),
    Statement("Figure 2", r"Two end-to-end minimizers at $m = \pm m^*$."),
    Statement(
        "Theorem 6",
        r"The scalar Hessian has the spectrum $4\lambda$ ($L - 1$ times), $2 L w^{2L-2} - 2\lambda(L-2)$ at every "
        r"minimizer, $w = |w_l|$ (eq. 29-30).",
        tests=("tests/theory/test_hessian.py",),
    ),
    Statement(
        "Remark 7",
        r"As $\lambda \to 0$ the largest eigenvalue tends to $2 L m^{2 - 2/L}$, that of the flattest solution "
        "(Mulayoff and Michaeli, 2020).",
        tests=("tests/theory/test_hessian.py",),
    ),
    Statement("Lemma 8", "Matrices with different singular values are different.", tests=(APPENDIX,)),
    Statement(
        "Theorem 9",
        r"$\langle A, B\rangle \leq \sum_i \sigma_i(A)\,\sigma_i(B)$, with equality only for shared singular vectors.",
        tests=(APPENDIX,),
    ),
    Statement(
        "Theorem 10",
        r"The end-to-end minimizer is unique if no singular value of $M$ equals $m^*(L, \lambda)$, and has the "
        "singular vectors of $M$.",
    ),
    Statement(
        "Lemma 11, Remark 12",
        "The targets with a singular value at $m^*$ have Lebesgue measure zero.",
    ),
    Statement(
        "Corollary 13",
        r"$\|W_l\|_F$ is the same for every layer of every minimizer.",
    ),
    Statement(
        "Corollary 14",
        r"$X^* = 0$ if $\lambda > \lambda_c(\sigma_1, L)$.",
    ),
    Statement(
        "Figure 3",
        "Trained products collapse as regularization passes the threshold.",
    ),
    Statement(
        "Section 3.3",
        r"For $L \geq 3$ there are spurious local minima (Chen et al., 2025, Theorem 2.2).",
    ),
    Statement(
        "Equation 79",
        r"Unless some $\sigma_i = m_{loc}$, every critical point is a local minimizer or a strict saddle (Chen et al., "
        "2025, Corollary 2.3).",
    ),
    Statement(
        "Theorem 15",
        r"$\operatorname{tr} \nabla^2 F \geq 2L\,\|X^*\|_F^2 / \alpha^2 + 2\lambda N$ at every minimizer.",
    ),
    Statement(
        "Equations 90-92",
        r"At any point $\operatorname{tr} \nabla^2 F = 2 \sum_l \|W_L \cdots W_{l+1}\|_F^2\,\|W_{l-1} \cdots W_1\|_F^2 "
        r"+ 2\lambda N$.",
        tests=("tests/theory/test_hessian.py",),
    ),
    Statement(
        "Open question",
        r"Is the bound of Theorem 15 attained at a flat minimum? Here: if and only if $X^* = 0$ or $d_0 = d_L = 1$, "
        "and all minimizers are equally flat.",
        tests=("tests/theory/test_hessian.py",),
    ),
    Statement(
        "Equations 97-99",
        "Generalized singular value thresholding, and the proximal gradient method for low-rank recovery (Lu et al., "
        "2014, 2015).",
        tests=("tests/theory/test_penalties.py", "tests/studies/test_proximal_gradient.py"),
    ),
    Statement("Definition 16", "Weak majorization.", unchecked=CONVENTION),
    Statement("Lemma 17", r"Young: $ab \leq a^p/p + b^q/q$ if $1/p + 1/q = 1$.", tests=(APPENDIX,)),
    Statement("Lemma 18", r"Hölder: $|\langle x, y\rangle| \leq \|x\|_p \|y\|_q$.", tests=(APPENDIX,)),
    Statement(
        "Theorem 19",
        r"$\sum_i \sigma_i(AB)^p \leq \sum_i \sigma_i(A)^p \sigma_i(B)^p$ for $p > 0$.",
        tests=(APPENDIX,),
    ),
    Statement(
        "Corollary 20, Remark 21",
        r"$\|AB\|_{S_r} \leq \|A\|_{S_p} \|B\|_{S_q}$ if $1/p + 1/q = 1/r$, and for any number of factors.",
        tests=(APPENDIX,),
    ),
    Statement(
        "Theorem 22",
        r"$\|X\|_{S_{2/L}}^{2/L} = \min \frac{1}{L} \sum_l \|W_l\|_F^2$ over factorizations $W_L \cdots W_1 = X$.",
        tests=(APPENDIX,),
    ),
    Statement("Definition 23", "Permutations.", unchecked=CONVENTION),
    Statement("Remark 24", "The determinant is the signed sum over permutations.", tests=(APPENDIX,)),
    Statement("Definition 25", "Row, column and doubly stochastic matrices.", unchecked=CONVENTION),
    Statement("Remark 26", "How many zeros a doubly stochastic matrix can have.", tests=(APPENDIX,)),
    Statement("Definition 27", "Doubly substochastic matrices.", unchecked=CONVENTION),
    Statement(
        "Lemma 28",
        "A doubly stochastic matrix other than the identity is positive along a permutation other than the identity.",
        tests=(APPENDIX,),
    ),
    Statement("Lemma 29", "Doubly stochastic matrices are the convex combinations of permutations.", tests=(APPENDIX,)),
    Statement(
        "Corollary 30",
        "A convex function of doubly stochastic matrices is largest at a permutation.",
        tests=(APPENDIX,),
    ),
    Statement("Lemma 31", "A doubly substochastic matrix lies below a doubly stochastic one.", tests=(APPENDIX,)),
    Statement(
        "Remark 32",
        "Von Neumann's inequality for rectangular matrices.",
    ),
    Statement(
        BEYOND,
        "The whole Hessian spectrum is the same at all minimizers and known in closed form (docs/theory.md, sections 2 "
        "to 5).",
        tests=("tests/theory/test_hessian.py", "tests/theory/test_accuracy.py"),
        topic="Hessian spectrum",
    ),
    Statement(
        BEYOND,
        "Minimizers form a Morse-Bott manifold; its dimension counts the zero eigenvalues (section 6).",
        topic="zero modes",
    ),
    Statement(
        BEYOND,
        "The number of negative eigenvalues at every critical point, in closed form (section 6).",
        tests=("tests/theory/test_proofs.py", "tests/theory/test_critical.py"),
        topic="Morse index",
    ),
    Statement(
        BEYOND,
        r"$2\|\nabla F\| / \mu$ bounds the distance to the minimizers within $\mu / C$ of them (section 8).",
        tests=("tests/theory/test_proofs.py", "tests/theory/test_critical.py"),
        topic="distance bound",
    ),
    Statement(
        BEYOND,
        "Spurious minima have closed-form spectra too; the largest eigenvalue need not depend on the level.",
        tests=("tests/theory/test_hessian.py", "tests/training/test_sharpness.py"),
        topic="sharpness",
    ),
    Statement(
        BEYOND,
        r"On inputs that are not white, layers stay balanced and of one norm, and $W$ aligns with the residual's "
        "correlation instead of with the target (section 14).",
        tests=("tests/studies/test_networks.py",),
        topic="any inputs",
    ),
    Statement(
        BEYOND,
        "All minimizers are one orbit of orthogonal maps, with a barrier on every straight line between two of them.",
        tests=("tests/studies/test_pairs_of_minimizers.py",),
        topic="orbit",
    ),
    Statement(
        BEYOND,
        r"A $\lambda$ for each layer acts as their geometric mean; factors $\frac12$, means and weight_decay are eq. 2 "
        "at another λ (docs/theory.md, section 10).",
        tests=("tests/theory/test_weights.py", "tests/studies/test_weights.py"),
        topic="weights",
    ),
    Statement(
        BEYOND,
        "A hidden width below the rank cuts the minimizer to its largest directions; a tie at the cut is a second "
        "exceptional set, of codimension 2, on which Corollary 13 still holds (section 11).",
        tests=("tests/theory/test_bottleneck.py", "tests/studies/test_bottleneck.py"),
        topic="bottleneck",
    ),
    Statement(
        BEYOND,
        r"For any non-decreasing penalty $g$ of singular values the minimizer is unique off a countable set of them "
        "(section 12).",
        tests=("tests/studies/test_penalties.py", "tests/theory/test_penalties.py"),
        topic="penalties",
    ),
    Statement(
        BEYOND,
        r"A sum of parallel chains has the product of one chain; for $L \geq 3$ layer norms and flatness depend on "
        "which directions share a branch (docs/theory.md, section 15).",
        tests=("tests/studies/test_branches.py",),
        topic="branches",
    ),
    Statement(
        BEYOND,
        "For almost every target all global minimizers of any model with L2 regularization have one fit; homogeneous "
        "layers, such as ReLU without bias and convolutions, have one norm at every critical point; circular "
        "convolutions have a minimum in closed form on any inputs (section 15).",
        tests=("tests/studies/test_any_model.py",),
        topic="any model",
    ),
    Statement(
        BEYOND,
        r"The minimum is concave in $\lambda$ with slope $\|\theta^*\|^2$, for any network: another run's weights can "
        "prove that a run of a sweep is not global (section 15).",
        tests=("tests/studies/test_sweeps.py", "tests/theory/test_adapter.py"),
        topic="sweeps",
    ),
    Statement(
        BEYOND,
        r"$dX^*/dM$ is symmetric, with a spectrum in closed form; Stein's identity for $X^*$ has one more term, from "
        r"the jump at $m^*$ (docs/denoise.md).",
        tests=("tests/studies/test_sensitivity.py", "tests/theory/test_sensitivity.py"),
        topic="sensitivity",
    ),
    Statement(
        BEYOND,
        "Where entries are missing, what is observed is fitted alike by all global minimizers, and signs of the rest "
        "are free where the graph of observations falls apart (section 15).",
        tests=("tests/studies/test_missing_entries.py",),
        topic="missing entries",
    ),
    Statement(
        BEYOND,
        r"A layer whose Schatten norm has order $p$ counts as $2/p$ layers: the closed forms hold at any real depth "
        "(section 15).",
        tests=("tests/studies/test_mixed_norms.py", "tests/studies/test_real_depth.py"),
        topic="real depth",
    ),
    Statement(
        BEYOND,
        r"At critical points of any loss $f(X)$ the layers are balanced, and $X$ shares its singular vectors with "
        r"$-\nabla f$; residual layers share their skew part instead (section 15).",
        tests=("tests/studies/test_any_loss.py",),
        topic="any loss",
    ),
    Statement(
        BEYOND,
        "Minimizers are one piece unless the kept directions fill a hidden layer, and the lowest pass between pieces "
        "is in closed form; so is the tree on which all levels merge (section 15).",
        tests=("tests/studies/test_components.py", "tests/studies/test_merge_tree.py"),
        topic="components",
    ),
    Statement(
        BEYOND,
        r"Balanced starts in the target's bases keep $\sigma_i$ exactly if their scale is above the $L$-th root of the "
        "small root (section 15).",
        tests=("tests/studies/test_basins.py",),
        topic="basins",
    ),
    Statement(
        BEYOND,
        r"Gradient flow forgets its imbalance as $e^{-4\lambda t}$, and gradient descent is stable up to steps of "
        r"$2/\lambda_{\max}$, with rates in closed form (section 15).",
        tests=("tests/studies/test_dynamics.py",),
        topic="dynamics",
    ),
    Statement(
        BEYOND,
        r"Where a singular value is at $\lambda$ (two layers) or $m_{loc}$ (more), gradient flow falls like $t^{-2}$ "
        r"or $t^{-3}$, with a factor in closed form (section 15).",
        tests=("tests/studies/test_slow_points.py",),
        topic="slow points",
    ),
    Statement(
        BEYOND,
        "With biases, decoupled decay, dropout, no penalty or correlated noise the statements fail, by amounts in "
        "closed form (section 15).",
        tests=("tests/studies/test_counterexamples.py",),
        topic="counterexamples",
    ),
    Statement(
        BEYOND,
        "A local minimizer lies within a proved distance of a trained run, from its layers alone, in ball arithmetic; "
        "at it the statements on runs are decided (docs/theory.md, section 8).",
        tests=("tests/proof/test_minimizer.py", "tests/proof/test_statements.py"),
        topic="proofs",
    ),
)
