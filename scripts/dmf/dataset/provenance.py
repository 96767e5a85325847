"""Where numbers came from: versions, revision, machine and time, as attributes every file carries."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ("dmf-landscape", "numpy", "torch", "xarray", "netCDF4", "snakemake")
REFERENCE = (
    "On the Loss Landscape Geometry of Regularized Deep Matrix Factorization: Uniqueness and Sharpness, "
    "arXiv:2603.27072"
)


def package_versions() -> dict[str, str]:
    """Version of every package that shapes a number, 'not installed' where absent."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def git_revision() -> str:
    """Commit of the source tree, with '+' where it has uncommitted changes; 'unknown' outside a checkout.

    An installed package may lie in somebody else's checkout, which does not track it.
    """
    here = Path(__file__).parent
    try:
        tracked = ["git", "ls-files", "--error-unmatch", Path(__file__).name]
        subprocess.run(tracked, cwd=here, capture_output=True, check=True, timeout=10)
        revision = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=here, capture_output=True, text=True, check=True, timeout=10,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return revision + ("+" if changed else "")


def timestamp(now: datetime | None = None) -> str:
    """The time of day, UTC, to the second. For people: nothing is decided by it, since clocks may go back."""
    return (now or datetime.now(UTC)).isoformat(timespec="seconds")


def file_attributes(title: str, summary: str, now: datetime | None = None) -> dict[str, str]:
    """Global attributes by the CF-1.11 and ACDD-1.3 conventions."""
    stamp = timestamp(now)
    versions = package_versions()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {
        "Conventions": "CF-1.11, ACDD-1.3",
        "title": title,
        "summary": summary,
        "source": f"dmf-landscape {versions['dmf-landscape']}",
        "references": REFERENCE,
        "date_created": stamp,
        "history": f"{stamp} written by dmf-landscape",
        "git_revision": git_revision(),
        "package_versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "machine": machine,
    }
