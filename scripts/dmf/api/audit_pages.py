"""Pages about factored layers and about sweeps of weight decay: one self-contained HTML file each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dmf.api.audit import Audit
from dmf.api.sweep import Sweep
from dmf.errors import printable
from dmf.report.tools.page import Picture, Table, ToolPage, drawn, tool_html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHORT = {
    "none": "",
    "not critical": "far from critical",
    "suffices": "suffices",
    "too low": "too low",
    "saddle": "not used",
}
LIMITS = (
    "imbalance is 0 at every critical point of a loss with weight decay on both factors, 1 is the most. removable: the "
    "share of their squared norm that factors of the same product do without. AdamW's decoupled decay and dropout "
    "minimize no such loss: of them these numbers prove nothing."
)
WITH_GRADIENT = (
    "‖G‖/τ: 1 along kept directions of a critical pair; above 1, another direction lowers the loss, and the rank is "
    "too low, or not used. suffices: no direction lowers the loss at first order, and a convex loss is at its minimum "
    "over all ranks. far from critical: the gradient with decay is more than 1 % of the decay's own part, and nothing "
    "is said of the rank."
)
OF_SWEEPS = (
    "A run that passes is proved nothing: no other run in the table is better at its lambda.",
    "Decoupled decay (AdamW) minimizes no such loss, and its runs prove nothing here.",
    "All losses must be of one loss and the same data, at the end of training, without their decay.",
)


def audit_html(names: Sequence[str], found: Sequence[Audit], subject: str) -> str:
    """The page of `dmf audit` about the file called `subject`: pairs by name, the least balanced first.

    >>> from dmf.api.audit import audit
    >>> "removable" in audit_html(["BA"], [audit([[4.0]], [[1.0]])], "adapter.npz")
    True
    """
    order = sorted(range(len(found)), key=lambda at: -found[at].imbalance)
    pairs, judged = [(names[at], found[at]) for at in order], all(one.gradient is not None for one in found)
    worst, spare = max(one.imbalance for one in found), max(one.removable for one in found)
    lead = [
        f"{_count(len(found), 'pair')}: imbalance up to {worst:.3g}, up to {spare:.2%} of the squared norm removable."
    ]
    if judged:
        counts = {
            word: sum(one.verdict == word for one in found) for word in dict.fromkeys(one.verdict for one in found)
        }
        lead.append("The rank: " + ", ".join(f"{SHORT[word]} in {count}" for word, count in counts.items()) + ".")
    head = ["Pair", "shape", "rank", "effective", "imbalance", "removable", "c"]
    rows = [
        [
            printable(name),
            f"{one.shape[0]} × {one.shape[1]}",
            str(one.rank),
            f"{one.effective_rank:.3g}",
            f"{one.imbalance:.3g}",
            f"{one.removable:.3g}",
            f"{one.scale:.3g}",
            *(
                [f"{one.gradient.gradient_spectral / one.gradient.threshold:.4g}", SHORT[one.verdict]]
                if one.gradient
                else []
            ),
        ]
        for name, one in pairs
    ]
    pictures = [Picture("Balance", drawn(lambda axes: _draw_balance([one for _, one in pairs], axes)), _BALANCE)]
    if judged:
        head += ["‖G‖/τ", "rank is"]
        pictures.append(
            Picture("Gradient", drawn(lambda axes: _draw_gradients([one for _, one in pairs], axes)), _GRADIENT)
        )
    limits = [LIMITS, *([WITH_GRADIENT] if judged else [])]
    return tool_html(ToolPage("dmf audit", printable(subject), lead, limits, [Table("Pairs", head, rows)], pictures))


def sweep_html(found: Sweep, subject: str) -> str:
    """The page of `dmf audit-sweep` about the file called `subject`: runs by their excess, the largest first.

    >>> from dmf.api.sweep import audit_sweep
    >>> "1 of 2 runs is provably" in sweep_html(audit_sweep([0.1, 0.1], [1.0, 2.0], [5.0, 4.0]), "runs.csv")
    True
    """
    count, order = int(found.not_global.sum()), (-found.excess).argsort(kind="stable")
    verb = "is" if count == 1 else "are"
    lead = [
        f"{count} of {_count(len(found.lam), 'run')} {verb} provably no global minimizer: at that lambda another run's "
        "weights cost less, by the excess."
    ]
    rows = [
        [
            str(at + 1),
            *(f"{values[at]:.6g}" for values in (found.lam, found.loss, found.norm_sq)),
            f"{found.excess[at]:.3g}",
            "no" if found.not_global[at] else "perhaps",
        ]
        for at in order.tolist()
    ]
    table = Table("Runs", ["Run", "λ", "loss", "‖θ‖²", "excess", "global"], rows)
    picture = Picture("Every run at its lambda", drawn(found.plot), _SWEEP)
    return tool_html(ToolPage("dmf audit-sweep", printable(subject), lead, OF_SWEEPS, [table], [picture]))


_BALANCE = (
    "Imbalance and the removable share of the squared norm of each pair, the least balanced first. Both are 0 at every "
    "critical point of a loss with weight decay on both factors."
)
_GRADIENT = (
    "The gradient's largest singular value in units of the threshold τ = 2λ / c; above 1 another direction lowers the "
    "loss."
)
_SWEEP = "The curve is the least that any run's weights cost at a lambda. A cross above it is no global minimizer."


def _draw_balance(found: Sequence[Audit], axes: Axes) -> None:
    places = range(1, len(found) + 1)
    axes.plot(places, [one.imbalance for one in found], "o", markersize=4, label="imbalance")
    axes.plot(places, [one.removable for one in found], "s", markersize=4, label="removable share")
    axes.set(xlabel="pair", ylim=(0, None))
    axes.locator_params(axis="x", integer=True)
    axes.legend()


def _draw_gradients(found: Sequence[Audit], axes: Axes) -> None:
    slopes = [one.gradient for one in found if one.gradient is not None]
    axes.plot(range(1, len(slopes) + 1), [one.gradient_spectral / one.threshold for one in slopes], "o", markersize=4)
    axes.axhline(1, color="0.4", linewidth=0.9)
    axes.set(xlabel="pair", ylabel=r"$\|G\|_2\,/\,\tau$", ylim=(0, None))
    axes.locator_params(axis="x", integer=True)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
