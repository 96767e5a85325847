"""`dmf predict`: what the theory says of the user's own matrix. Trains nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from dmf.cli.grammar import LAM, STDIN, TARGET, lambdas, target_of
from dmf.cli.output import print_json
from dmf.errors import UserError
from dmf.grid.kinds import FileTarget

if TYPE_CHECKING:
    import numpy as np

SOURCE = "dmf predict"  # what complaints name
OF_THE_FILE = ("variable", "header", "index", "map", "center", "scale")  # keys of a target of kind file


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "predict", help="minimizer, thresholds, norms, Hessian and levels of a target, in closed form"
    )
    parser.add_argument("target", help=TARGET)
    parser.add_argument("--depth", required=True, type=int, help="number of layers L, at least 2")
    parser.add_argument("--lam", required=True, help=LAM)
    parser.add_argument(
        "--widths",
        nargs="+",
        type=int,
        metavar="D",
        help="hidden widths d_1 ... d_(L-1), or one for all; default min(d_0, d_L)",
    )
    for key in OF_THE_FILE:
        field = FileTarget.model_fields[key]
        kind: dict[str, Any] = {"choices": get_args(field.annotation)} if field.default == "none" else {}
        if key in ("header", "index"):
            kind = {"action": argparse.BooleanOptionalAction}
        parser.add_argument(f"--{key}", help=field.description, default=None, **kind)
    parser.add_argument("--json", action="store_true", help="print JSON with every digit; null: not finite, or absent")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the prediction. Raises UserError."""
    from dmf.cli.prediction import show
    from dmf.theory.prediction import predict

    target, widths, lam = setting(options)
    try:
        found = predict(target, widths, lam)
    except ValueError as error:
        raise UserError(f"{SOURCE}: {error}") from None
    if options.json:
        head = {"target": options.target, "shape": list(target.shape), "depth": options.depth, "lam": lam}
        print_json({**head, "widths": list(widths), **found})
    else:
        name = "standard input" if options.target == STDIN else Path(options.target).name
        show(found, f"{name}, {target.shape[0]} × {target.shape[1]}", widths, lam)
    return 0


def setting(options: argparse.Namespace) -> tuple[np.ndarray[Any, np.dtype[np.float64]], tuple[int, ...], float]:
    """Target (d_L, d_0), widths (d_0, ..., d_L) and lambda of the command line, read and refused as a grid's are."""
    from dmf.grid.cells import group_of, lambda_labels, lambda_value
    from dmf.grid.config import validate
    from dmf.grid.targets import build_targets

    own = {key: getattr(options, key) for key in OF_THE_FILE if getattr(options, key) is not None}
    hidden = options.widths[0] if options.widths and len(options.widths) == 1 else options.widths or "same"
    with target_of(options.target) as config:
        grid = validate(
            {
                "grid": "predict",
                "targets": [{**config, **own}],
                "depths": [options.depth],
                "hidden_widths": hidden,
                "lambdas": lambdas([options.lam]),
            },
            SOURCE,
        )
        (target,) = build_targets(grid, SOURCE)
    (label,) = lambda_labels(grid.lambdas)
    widths = group_of(target.shape, options.depth, grid.hidden_widths, SOURCE).widths
    return target.values, widths, lambda_value(label, float(target.singular_values[0]), options.depth)
