"""`dmf audit-sweep`: which runs of a sweep of weight decay are provably no global minimizers."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

from dmf.cli.output import console, digits, print_json
from dmf.cli.tables import Column, left_out, print_table
from dmf.errors import UserError, near, printable, shown

MOST_BYTES = 64 * 2**20
COLUMNS = {"lam": "lambda, half of weight_decay", "loss": "the loss without its decay", "norm_sq": "||theta||^2"}
KINDS = (".svg", ".png", ".pdf")


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "audit-sweep", help="which runs of a sweep of weight decay are provably no global minimizers"
    )
    parser.add_argument("file", type=Path, help="a CSV file with a header and one line a run")
    for name, text in COLUMNS.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, dest=name, default=name, metavar="COLUMN", help=f"{text}; default {name}")
    parser.add_argument("--tolerance", type=float, default=0.0, help="what may be wrong with a loss; default 0")
    parser.add_argument("--figure", type=Path, metavar="OUT", help="draw the runs and the envelope: .svg, .png or .pdf")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write a page about it: .html")
    parser.add_argument("--json", action="store_true", help="print JSON with every digit")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Audit. Raises UserError."""
    from dmf.api.audit_pages import sweep_html
    from dmf.api.sweep import audit_sweep
    from dmf.dataset.store import write_text

    if options.figure is not None and options.figure.suffix not in KINDS:
        raise UserError(f"--figure: got {shown(options.figure)}, expected a name that ends in {', '.join(KINDS)}")
    values = _read(options.file, [getattr(options, name) for name in COLUMNS])
    try:
        found = audit_sweep(*values, tolerance=options.tolerance)
    except ValueError as error:
        raise UserError(f"{printable(str(options.file))}: {error}") from None
    if options.figure is not None:
        _draw(found, options.figure)
    if options.page is not None:
        write_text(sweep_html(found, options.file.name), options.page)
    if options.json:
        rows = zip(*values, found.excess.tolist(), found.not_global.tolist(), strict=True)
        print_json([dict(zip((*COLUMNS, "excess", "not_global"), row, strict=True)) for row in rows])
        return 0
    screen = console(sys.stdout)
    columns = [
        Column("run", [str(place) for place in range(1, len(values[0]) + 1)], 1, right=True),
        *(
            Column(name, [digits(value) for value in column], 2, right=True)
            for name, column in zip(COLUMNS, values, strict=True)
        ),
        Column("excess", [digits(value, 3) for value in found.excess.tolist()], 1, right=True),
        Column("global", ["no" if wrong else "perhaps" for wrong in found.not_global], 0, styles={"no": "red"}),
    ]
    if missing := left_out(print_table(screen, columns), "--json has them"):
        screen.print(missing)
    count = int(found.not_global.sum())
    screen.print(
        f"{count} of {len(values[0])} runs are provably no global minimizers: at their lambda another run's weights "
        "cost less, by the excess. Of the others nothing is proved. Decoupled decay (AdamW) minimizes no such loss."
    )
    return 0


def _read(path: Path, names: list[str]) -> list[list[float]]:
    """Columns of a CSV file as finite numbers."""
    where = printable(str(path))
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{where}: has {path.stat().st_size} bytes, expected at most {MOST_BYTES}")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            known = reader.fieldnames or []
            for name in names:
                if known.count(name) != 1:
                    listed = ", ".join(map(shown, known[:12])) or "none"
                    times = "no column" if name not in known else f"{known.count(name)} columns"
                    raise UserError(f"{where}: {times} {shown(name)}{near(name, known)}; it has {listed}")
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise UserError(f"{where}: {error.strerror or error}; expected a CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{where}: no CSV file: {error}; expected a header and one line a run") from None
    return [[_number(row[name], f"{where}, line {line}, column {shown(name)}") for line, row in rows] for name in names]


def _number(text: str | None, where: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise UserError(f"{where}: got {shown(text or '', quoted=True)}, expected a finite number; leave that run out")
    return value


def _draw(found: Any, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    axes = found.plot()
    try:
        axes.figure.savefig(path, dpi=200)
    except OSError as error:
        raise UserError(f"{printable(str(path))}: {error.strerror or error}; choose another place") from None
    finally:
        pyplot.close(axes.figure)
