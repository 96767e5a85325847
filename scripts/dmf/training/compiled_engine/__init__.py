"""Trains on a processor, several runs side by side in the lanes of its vector registers.

Element e of a matrix of run 0, 1, ... lies at consecutive places, so one vector instruction does the same to all runs
at once, and matrices as small as 4 x 4 multiply at nearly the rate of large ones. A lane never reads another, and every
multiplication with addition is one fused instruction by order, not by the compiler's leave: a run's bits depend on the
run alone, for any width of the processor's registers and any other runs.

The kernels are compiled at first use, which takes some forty seconds, and kept in a folder named by the digest of this
package and of the constants it compiles in: numba itself would not notice an edit in a file that the compiled one
imports.
"""

import hashlib
import os
from pathlib import Path

import numba
from numba.core.caching import UserProvidedCacheLocator

HERE = Path(__file__).parent


def _cache_folder() -> Path:
    sources = [*sorted(HERE.glob("*.py")), HERE.parent / "constants.py", HERE.parent / "settings.py"]
    content = b"".join(path.read_bytes() for path in sources)
    root = os.environ.get("NUMBA_CACHE_DIR") or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "dmf")
    return Path(root, f"kernels-{hashlib.blake2b(content, digest_size=8).hexdigest()}")


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


FOLDER = _cache_folder()
CACHE = _usable(FOLDER)  # without a folder that can be written, every process compiles the kernels again


class AnyCheckout(UserProvidedCacheLocator):
    """Keeps kernels by their sources alone, which FOLDER names; numba would compile them again for every checkout."""

    def get_source_stamp(self) -> str:
        """The digest of all sources, in place of the one of this kernel's file."""
        return FOLDER.name

    @classmethod
    def get_suitable_cache_subpath(cls, _: str) -> str:
        """Where kernels of any checkout lie in FOLDER."""
        return "kernels"


if CACHE:  # numba adds its settings where mypy sees none
    setattr(numba.config, "CACHE_DIR", str(FOLDER))  # noqa: B010
    locators = f"{__name__}.{AnyCheckout.__name__},UserProvidedCacheLocator"
    setattr(numba.config, "CACHE_LOCATOR_CLASSES", locators)  # noqa: B010

kernel = numba.njit(cache=CACHE, nogil=True, error_model="numpy")
"""How every compiled function here is compiled: releasing the interpreter, with x / 0 infinite as in numpy."""
