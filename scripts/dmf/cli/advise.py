"""`dmf advise`: the lambda that keeps a wanted rank of a matrix, and where training really ends there."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from dmf.cli.grammar import TARGET, Config, target_of
from dmf.cli.output import console, digits, print_json
from dmf.cli.tables import Column, print_table
from dmf.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from dmf.grid.config import Grid
    from dmf.grid.targets import TargetMatrix

SOURCE = "dmf advise"  # what complaints name
SCALES = (0.5, 1.0, 2.0)  # of starts, as by default in a grid


@dataclass(frozen=True)
class Advice:
    """Lambdas that keep `rank` leading singular values of a target, and a census of runs at one of them.

    All lambdas are those of F of eq. 2. Infinite ends are ends that do not exist.
    """

    rank: int
    low: float
    """from here on the global minimizer keeps no more than the rank: lambda_c(sigma_{r+1})"""
    high: float
    """below it, no less: lambda_c(sigma_r)"""
    kept_until: float
    """below it some local minimum keeps the rank: lambda_s(sigma_r)"""
    more_until: float
    """below it some local minimum keeps more, where runs may end: lambda_s(sigma_{r+1}); 0 where none keeps more"""
    lam: float
    """where the census was taken: in the middle of what keeps the rank and, if possible, where nothing keeps more"""


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "advise", help="print the lambdas that keep a wanted rank, and the rank with which trained runs end"
    )
    parser.add_argument("target", help=f"M, {TARGET}")
    parser.add_argument(
        "--inputs",
        metavar="FILE",
        help="white inputs X, one sample a column; the target then holds the outputs Y, and M is Y X^T",
    )
    parser.add_argument("--depth", required=True, type=int, help="number of layers L, at least 2")
    parser.add_argument("--rank", required=True, type=int, help="how many singular values to keep")
    parser.add_argument("--starts", type=int, default=60, help="runs to train for the census; default 60, 0 for none")
    parser.add_argument("--json", action="store_true", help="print JSON with every digit; null: no such end exists")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Advise. Raises UserError."""
    if options.starts < 0 or options.starts % len(SCALES):
        raise UserError(
            f"--starts: got {options.starts}, expected 0 or a multiple of {len(SCALES)}, the same number for each scale"
        )
    with target_of(options.target) as config:
        target, unit = _target(options, config)
        advice = advise(target.singular_values, options.depth, options.rank)
        ends = {}
        if options.starts:
            ends = census(_grid(options, config, advice.lam, options.starts // len(SCALES)), target)
    found = _record(advice, ends, unit)
    if options.json:
        print_json(found)
    else:
        _show(found)
    return 0


def _target(options: argparse.Namespace, config: Config) -> tuple[TargetMatrix, float]:
    """M, and lambda of the network on the data in units of lambda of the factorization of M."""
    from dmf import theory
    from dmf.grid.targets import build_targets

    def read(config: Config) -> TargetMatrix:
        return build_targets(_grid(options, config, 1.0, 1), SOURCE)[0]

    target = read(config)
    if options.inputs is None:
        return target, 1.0
    inputs = {"name": "inputs", "kind": "file", "path": options.inputs}
    try:
        found = theory.as_factorization(read(inputs).values, target.values, options.depth, 1.0)
    except ValueError as error:
        raise UserError(f"{SOURCE}: {error}") from None
    return replace(target, values=found.target), 1 / found.lam


def _grid(options: argparse.Namespace, config: Config, lam: float, count: int) -> Grid:
    """One cell as a grid, so that targets, depths and starts are read and refused as a grid's are."""
    from dmf.grid.config import validate

    return validate(
        {
            "grid": "advise",
            "targets": [config],
            "depths": [options.depth],
            "lambdas": {"absolute": [lam]},
            "starts": {"scales": list(SCALES), "count": count},
        },
        SOURCE,
    )


def advise(sigma: np.ndarray[tuple[int], np.dtype[np.float64]], depth: int, rank: int) -> Advice:
    """The lambdas for singular values (n,), non-increasing. Raises UserError for a rank that no lambda keeps."""
    import numpy as np

    from dmf import theory

    try:
        low, high = theory.lambda_to_keep(sigma, depth, rank)
    except ValueError as error:
        raise UserError(str(error)) from None
    more = float(theory.branch_lambda(sigma[rank], depth)) if low else 0.0
    begin = more if more < high else low
    middle = float(np.sqrt(begin * high)) if begin else high / 4
    lam = middle if rank else 1.25 * begin
    return Advice(rank, low, high, theory.lambda_where_kept(sigma, depth, rank), more, lam)


def census(grid: Grid, target: TargetMatrix) -> dict[int, int]:
    """How many runs of a grid of one cell end, certified, on each level k; -1 for those that end on none."""
    import numpy as np

    from dmf.dataset.train import train_block
    from dmf.evidence.certify import certify
    from dmf.grid.cells import group_of, lambda_labels, series_of

    (depth,), (label,) = grid.depths, lambda_labels(grid.lambdas)
    group = group_of(target.shape, depth, grid.hidden_widths, f"target {target.name}")
    runs = train_block(group, [target], [label], dict.fromkeys(series_of(grid), range(grid.starts.count)), grid)
    kept, counts = np.unique(certify([runs])["kept"].values, return_counts=True)
    return dict(zip(kept.tolist(), counts.tolist(), strict=True))


def _record(advice: Advice, ends: dict[int, int], unit: float) -> dict[str, Any]:
    """What is printed: lambdas of the network or factorization asked for, and where runs ended."""
    from dmf.evidence.wilson import wilson

    total, rows = sum(ends.values()), []
    for kept, count in sorted(ends.items()):
        low, high = (float(end) for end in wilson(count, total))
        rows.append({"kept": kept, "runs": count, "share": count / total, "share_low": low, "share_high": high})
    lambdas = {name: value if name == "rank" else value * unit for name, value in asdict(advice).items()}
    return {**lambdas, "runs": total, "ends": rows}


def _words(found: dict[str, Any]) -> list[str]:
    """The advice in sentences."""
    rank, low, high, more = found["rank"], found["low"], found["high"], found["more_until"]
    between = f"{digits(low)} < lambda" + ("" if math.isinf(high) else f" < {digits(high)}")
    lines = [f"The global minimizer keeps exactly {rank} singular value{'' if rank == 1 else 's'} where {between}."]
    if rank:
        lines.append(f"Some local minimum keeps {rank} up to lambda = {digits(found['kept_until'])}.")
    if more > low:
        where = "so runs may end at one anywhere in this interval" if more >= high else "and none above it"
        lines.append(f"Some local minimum keeps more up to lambda = {digits(more)}, {where}.")
    lines.append(
        "In torch weight_decay is 2 lambda for a loss that sums squared errors, 2 lambda / n for their mean over n "
        "samples; AdamW's decay is different."
    )
    return lines


def _show(found: dict[str, Any]) -> None:
    for line in _words(found):
        print(line)
    if not found["runs"]:
        return
    rows = found["ends"]
    columns = [
        Column("kept", ["no level" if row["kept"] < 0 else str(row["kept"]) for row in rows], 0),
        Column("runs", [str(row["runs"]) for row in rows], 2),
        Column("share", [f"{row['share']:.0%}" for row in rows], 1),
        Column("95 %", [f"{row['share_low']:.0%} to {row['share_high']:.0%}" for row in rows], 3),
    ]
    print(f"Where {found['runs']} runs end at lambda = {digits(found['lam'])}:")
    print_table(console(sys.stdout), columns)
