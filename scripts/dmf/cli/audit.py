"""`dmf audit`: what weight decay did to the factored layers of a file, and what gradients of their loss prove."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmf.cli.output import console, digits, print_json
from dmf.cli.tables import Column, left_out, print_table
from dmf.errors import UserError, printable, shown

if TYPE_CHECKING:
    from dmf.api.audit import Audit
    from dmf.api.pairs import Pair
    from dmf.api.tensors import Tensors


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "audit", help="what weight decay did to adapters and other factored layers, and whether their rank suffices"
    )
    parser.add_argument("file", type=Path, help="a .safetensors or .npz file, or the folder of an adapter")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--pair", nargs=2, metavar=("B", "A"), help="names of two tensors with the product B A")
    which.add_argument("--qk", nargs=2, metavar=("Q", "K"), help="query and key weights: a pair Q_h^T K_h a head")
    which.add_argument("--ov", nargs=2, metavar=("O", "V"), help="output and value weights: a pair O_h V_h a head")
    parser.add_argument("--heads", type=int, help="number of heads, for --qk and --ov; in names one * is any text")
    scaled = parser.add_mutually_exclusive_group()
    scaled.add_argument("--scale", type=float, help="c of the product c B A; default: what the file says, else 1")
    scaled.add_argument("--alpha", type=float, help="c is alpha / r")
    parser.add_argument("--rslora", action="store_true", help="c is alpha / sqrt(r)")
    parser.add_argument("--lam", type=float, help="lambda > 0 of lambda (||A||^2 + ||B||^2): half of weight_decay")
    parser.add_argument(
        "--gradient",
        type=Path,
        metavar="FILE",
        help="gradients of the loss for c B A, on all data, by pair",
    )
    parser.add_argument("--loss", type=float, help="the loss itself, >= 0: with it, for convex losses, what is to gain")
    parser.add_argument("--rebalance", type=Path, metavar="OUT", help="write the file with balanced factors instead")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write a page about it: .html")
    parser.add_argument("--json", action="store_true", help="print JSON with every digit")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Audit. Raises UserError."""
    from dmf.api.audit import audit
    from dmf.api.audit_pages import audit_html
    from dmf.api.pairs import write_balanced
    from dmf.api.tensors import read_tensors
    from dmf.dataset.store import write_text
    from dmf.theory.adapter import balanced_pair

    for name in ("scale", "alpha", "lam"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            raise UserError(f"--{name}: got {value}, expected a number > 0")
    tensors = read_tensors(options.file)
    pairs = _pairs(tensors, options)
    gradients = _gradients(pairs, options)
    found = []
    for pair, gradient in zip(pairs, gradients, strict=True):
        try:
            given = {"scale": pair.scale, "lam": options.lam, "gradient": gradient, "loss": options.loss}
            found.append(audit(pair.b, pair.a, **given))
        except ValueError as error:
            raise UserError(f"{printable(str(options.file))}: {shown(pair.name)}: {error}") from None
    rounded = None
    if options.rebalance is not None:
        if options.qk or options.ov:
            raise UserError("--rebalance: heads share their tensors; expected adapters or --pair")
        balanced = [(pair, *balanced_pair(pair.b, pair.a)) for pair in pairs]
        rounded = write_balanced(tensors, balanced, options.rebalance)
    names = [pair.name for pair in pairs]
    if options.page is not None:
        write_text(audit_html(names, found, options.file.name), options.page)
    if options.json:
        print_json([{"pair": pair.name, **one.to_dict()} for pair, one in zip(pairs, found, strict=True)])
    else:
        _show(names, found, options)
        if rounded is not None:
            moved = f"rounding moves products by {digits(rounded, 2)} of their norm at most"
            print(f"{printable(str(options.rebalance))}: the same products in balance; {moved}")
    return 0


def _pairs(tensors: Tensors, options: argparse.Namespace) -> list[Pair]:
    from dmf.api.pairs import Heads, Scaling, adapters, heads, named

    of_heads = options.qk or options.ov
    if bool(of_heads) != (options.heads is not None) or (options.heads is not None and options.heads < 1):
        raise UserError(f"--heads: got {options.heads}, expected a number > 0 with --qk or --ov, and none without")
    scaling = Scaling(options.scale, options.alpha, options.rslora)
    if of_heads:
        if scaling != Scaling():
            raise UserError("--scale, --alpha, --rslora: a head's product has none; expected adapters or --pair")
        first, second = of_heads
        return heads(tensors, Heads(first, second, options.heads, outputs=bool(options.ov)))
    if options.rslora and options.alpha is None and (options.pair or options.scale is not None):
        raise UserError("--rslora: got no --alpha with it, of which it takes the root of the rank")
    if options.pair:
        b_name, a_name = options.pair
        return named(tensors, b_name, a_name, scaling)
    return adapters(tensors, scaling)


def _gradients(pairs: Sequence[Pair], options: argparse.Namespace) -> list[Any]:
    """One a pair, by its name; of a single pair, the only one."""
    from dmf.api.tensors import read_tensors

    if options.gradient is None:
        if options.loss is not None:
            raise UserError("--loss: got no --gradient with it; expected both, or neither")
        return [None] * len(pairs)
    if options.lam is None:
        raise UserError("--gradient: got no --lam with it; expected lambda, half of the optimizer's weight_decay")
    tensors = read_tensors(options.gradient)
    names = list(tensors.raw)
    if len(pairs) == 1 and len(names) == 1:
        return [tensors.matrix(names[0])]
    return [tensors.matrix(pair.name) for pair in pairs]


def _show(names: Sequence[str], found: Sequence[Audit], options: argparse.Namespace) -> None:
    from dmf.api.audit_pages import LIMITS, SHORT, WITH_GRADIENT

    screen = console(sys.stdout)
    columns = [
        Column("pair", names, 0, least=12),
        Column("shape", [f"{one.shape[0]} × {one.shape[1]}" for one in found], 4),
        Column("rank", [str(one.rank) for one in found], 2, right=True),
        Column("effective", [digits(one.effective_rank, 3) for one in found], 3, right=True),
        Column("imbalance", [digits(one.imbalance, 3) for one in found], 1, right=True),
        Column("removable", [digits(one.removable, 3) for one in found], 1, right=True),
        Column("c", [digits(one.scale, 3) for one in found], 5, right=True),
    ]
    if options.lam is not None:
        columns += [
            Column("τ", [digits(one.threshold, 3) for one in found], 5, right=True),
            Column("gradient ≥", [digits(one.least_gradient_norm, 3) for one in found], 4, right=True),
        ]
    if options.gradient is not None:
        slopes = [one.gradient for one in found if one.gradient is not None]
        columns += [
            Column("‖G‖/τ", [digits(one.gradient_spectral / one.threshold, 4) for one in slopes], 1, right=True),
            Column("gradient/decay", [digits(one.share, 2) for one in slopes], 3, right=True),
            Column("rank is", [SHORT[one.verdict] for one in found], 0),
        ]
    if options.loss is not None:
        columns.append(Column("to gain ≤", [digits(one.most_to_gain, 3) for one in found], 2, right=True))
    missing = print_table(screen, columns)
    for line in (left_out(missing, "--json has them"), LIMITS, WITH_GRADIENT if options.gradient is not None else ""):
        if line:
            screen.print(line)
