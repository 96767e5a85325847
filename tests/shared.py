"""What takes long to make is made once, by one of xdist's workers for all of them."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

Made = TypeVar("Made")


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What `make` returned of the folder that it was given, in this worker or in another; each has a copy."""
    base = factory.getbasetemp()  # of this worker, in a folder of all
    folder = Path(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base, f"shared-{name}")
    file = folder.with_suffix(".pickle")
    with FileLock(f"{folder}.lock"):
        if not file.exists():
            folder.mkdir()
            file.write_bytes(pickle.dumps(make(folder)))
    return pickle.loads(file.read_bytes())  # type: ignore[no-any-return]
