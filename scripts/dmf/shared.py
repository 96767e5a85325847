"""Files of the workflow that are no part of the package: at the top of a checkout, or in an installed package."""

from pathlib import Path

PACKAGE = Path(__file__).parent
_INSTALLED = PACKAGE / "share"  # where a wheel puts them
TOP = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parents[1]  # holds Snakefile, workflow/, scripts/ and config/
