"""What every step of the workflow shares: a log file, and one clear line for a user's error."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dmf.dataset.owner import RunEnded, check_package, check_run, end_with_run, owned

end_with_run()  # before the imports below, which take a second

from dmf.dataset.manifest import record, recorded_stamp  # noqa: E402
from dmf.dataset.schema import DataError  # noqa: E402
from dmf.dataset.stamps import Stamp, expecting  # noqa: E402
from dmf.dataset.store import DamagedFile, set_aside, unwritable  # noqa: E402
from dmf.errors import UserError, printable  # noqa: E402

OWN = ("data", "reports")  # an archive is the user's, whatever its name
FORMAT = "%(asctime)s %(levelname)s %(message)s"
LONGEST = 300  # characters of an unexpected error on the screen


@contextmanager
def step(log: str, name: str, inputs: Iterable[str] = (), identities: str = "") -> Iterator[logging.Logger]:
    """Log a step to its file. Any error becomes one line, in the log and in the terminal, and exit code 1.

    Of an error that no user makes, the log has the traceback.
    `identities` is the rule's parameter of that name (see `dmf.products`): inside, every file that is read is compared
    with what it must be of, every file that is written is stamped, and at the end all that was written is recorded.
    A damaged file that the workflow makes itself is moved aside, so that the next run makes it again. Inputs from the
    future, which a clock that went back leaves behind, become as old as now: Snakemake refuses an older output.
    """
    logging.raiseExceptions = False  # a log on a full disk is cut short; the step itself says why it ends
    logger = logging.getLogger(name)
    try:
        try:
            Path(log).parent.mkdir(parents=True, exist_ok=True)
            logging.basicConfig(
                filename=log,
                filemode="w",
                level=logging.INFO,
                format="%(asctime)s %(levelname)s %(message)s",
                force=True,
            )
        except OSError as error:
            raise unwritable(Path(log), error) from None
        check_run()
        check_package()
        logger.info("started")
        with _identified(identities):
            yield logger
    except RunEnded as error:  # whoever ended the run has said so, and other jobs of it end without a word
        logger.warning("%s", error)
        sys.exit(1)
    except UserError as error:
        line = _line(error, Path(log))
        logger.error("%s", line)
        sys.exit(f"{name}: {line}")
    except MemoryError as error:
        logger.exception("no memory")
        sys.exit(f"{name}: {error or 'no memory left'}; use a machine with more, or fewer jobs at once; log: {log}")
    except Exception as error:
        logger.exception("failed")
        what = printable(" ".join(str(error).split()))[:LONGEST]
        sys.exit(f"{name}: unexpected {type(error).__name__}: {what}; please report it with its log, {log}")
    for path in map(Path, inputs):
        with suppress(OSError):  # not ours to touch
            if path.stat().st_mtime > time.time():
                os.utime(path)
    logger.info("finished")


@contextmanager
def _identified(identities: str) -> Iterator[None]:
    """Expect and stamp what `identities` says; record the outputs where all went well."""
    known = json.loads(identities or "{}")
    written: defaultdict[Path, dict[Path, str]] = defaultdict(dict)
    for file, (identity, path) in known.get("outputs", {}).items():
        written[Path(path)][Path(file)] = identity
    with owned():
        for path in written:  # of the job before: it says nothing of what this one writes
            path.unlink(missing_ok=True)
    stamps = {file: Stamp(identity) for files in written.values() for file, identity in files.items()}
    for file, (identity, path) in known.get("inputs", {}).items():
        stamps[Path(file)] = recorded_stamp(Path(file), identity, Path(path)) if path else Stamp(identity)
    with expecting(stamps):
        yield
    for path, files in written.items():
        record(path, files)


def _line(error: Exception, log: Path) -> str:
    """What to say of an error; a damaged file in data/NAME or reports/NAME of this grid is moved aside."""
    if not isinstance(error, DamagedFile) or not any(error.path.is_relative_to(folder) for folder in _own(log)):
        return str(error)
    with suppress(DataError):
        return f"{error.path}: {error.what}; moved to {set_aside(error.path)}; the next run makes it again"
    return str(error)


def _own(log: Path) -> list[Path]:
    """The folders of the grid whose step writes the log: [PREFIX/]data/NAME/[KIND/]logs/STEP.log."""
    for depth in reversed(range(len(log.parts))):  # the prefix may have any names
        if log.parts[depth] == "data" and "logs" in log.parts[depth + 2 : depth + 4]:
            return [Path(*log.parts[:depth], own, log.parts[depth + 1]) for own in OWN]
    return []


def tell(line: str) -> None:
    """Say a line in the log and in the terminal: something a user should know, but no error."""
    logging.getLogger().warning("%s", line)
    with suppress(OSError):  # whoever read the terminal's lines is gone
        print(line, file=sys.stderr)
