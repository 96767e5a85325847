"""What every step of the workflow shares: a log file, and one clear line for a user's error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def step(log: str, name: str) -> Iterator[logging.Logger]:
    """Log a step to its file. A UserError becomes one line, in the log and in the terminal, and exit code 1."""
    from dmf.errors import UserError

    Path(log).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True
    )
    logger = logging.getLogger(name)
    logger.info("started")
    try:
        yield logger
    except UserError as error:
        logger.error("%s", error)
        sys.exit(f"{name}: {error}")
    except Exception:
        logger.exception("failed")
        raise
    logger.info("finished")
