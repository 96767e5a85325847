"""Files of the workflow that are no part of the package: at the top of a checkout, or in an installed package."""

from hashlib import sha256
from pathlib import Path

PACKAGE = Path(__file__).parent
_INSTALLED = PACKAGE / "share"  # where a wheel puts them
TOP = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parents[1]  # holds Snakefile, workflow/, scripts/ and config/


def package_digest() -> str:
    """A fingerprint of all code of this package, wherever it lies."""
    files = sorted(PACKAGE.rglob("*.py"))
    lines = (f"{file.relative_to(PACKAGE).as_posix()} {sha256(file.read_bytes()).hexdigest()}" for file in files)
    return sha256("\n".join(lines).encode()).hexdigest()[:16]
