"""`python -m dmf.cli.conda` writes workflow/envs/dmf.yaml: the pins that running needs, for Snakemake's conda.

The pins stand in the file itself: Snakemake reads its own copy of it, from which no other file is found.
"""

from __future__ import annotations

from pathlib import Path

from packaging.utils import canonicalize_name

from dmf.cli.licences import closure, requirements

PINS, FILE = Path("constraints.txt"), Path("workflow/envs/dmf.yaml")
HEAD = """\
# For --software-deployment-method conda: the pins of constraints.txt that running needs. Written by
# `python -m dmf.cli.conda`; a test compares it. Snakemake itself reads the rules before any environment is made, so it
# needs this package too: docs/deployment.md.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.11
  - pip
  - pip:
"""


def environment() -> str:
    """The file's text."""
    needed = closure(requirements())
    pins = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return HEAD + "".join(f"      - {pin}\n" for pin in pins if canonicalize_name(pin.partition("==")[0]) in needed)


if __name__ == "__main__":
    FILE.write_text(environment(), encoding="utf-8")
