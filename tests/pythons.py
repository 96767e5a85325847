"""The smoke grid and the tests that need no torch with other Pythons, compared with this one's to the last bit.

Usage: tests/pythons.py [PYTHON...], each of an environment that has what the package needs. Without one, environments
of all Pythons from 3.11 on that are here, on the path or by pyenv, are made in .venv/pythons; make pythons calls it so.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from slurm.runs import stored  # noqa: E402

OLDEST = (3, 11)
PLACES = ROOT / ".venv/pythons"
SMOKE = ROOT / "config/grids/smoke.yaml"
PATTERNS = ("data/smoke/**/*.nc", "reports/smoke/verdicts/*.json")
ROOMS = ("theory", "grid", "dataset")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}


def version(python: str) -> str:
    """Its version, such as 3.12.1; "" where it does not start."""
    command = [python, "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def others() -> Iterator[str]:
    """One Python of each minor version from OLDEST on that is here, other than this one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    on_path = [shutil.which(f"python3.{minor}") for minor in range(OLDEST[1], 30)]
    seen = {sys.version_info[:2]}
    for python in filter(None, [*on_path, *map(str, sorted(pyenv.glob("3.*/bin/python")))]):
        minor = tuple(map(int, re.findall(r"\d+", version(python))[:2]))
        if minor >= OLDEST and minor not in seen:
            seen.add(minor)
            yield python


def made(python: str) -> str:
    """The Python of an environment with what the package and its tests need, torch aside; made where there is none."""
    place = PLACES / version(python)
    inside = str(place / "bin/python")
    if not (place / "installed").exists():
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"]
        tools = [*(one for one in extras["dev"] if "torch" not in one), *extras["audit"], *extras["crate"]]
        subprocess.run([python, "-m", "venv", "--clear", str(place)], check=True)
        install = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["--constraint", str(ROOT / "constraints.txt"), "--editable", str(ROOT)]
        subprocess.run([*install, *tools], check=True)
        (place / "installed").touch()
    return inside


def smoke(python: str, folder: Path) -> dict[str, bytes]:
    """Every value of the smoke grid, run by a Python in a folder, from data to verdicts."""
    command = [python, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--workflow-profile", str(ROOT / "workflow/profiles/local"), "--configfile", str(SMOKE), "--", "all"]
    subprocess.run(command, env=ENVIRONMENT, check=True)
    return stored(folder, *PATTERNS)


def tests() -> list[str]:
    """The files of tests that need no torch, of rooms below all others, and one of the whole workflow."""
    files = [file for room in ROOMS for file in sorted((ROOT / "tests" / room).glob("test_*.py"))]
    files.append(ROOT / "tests/workflow/test_end_to_end.py")
    return [str(file) for file in files if not re.search(r"^\s*(import|from) torch", file.read_text(), flags=re.M)]


def main(pythons: Sequence[str]) -> int:
    """Compare, test, and print a line for each Python; 1 where one differs or a test fails."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        expected = smoke(sys.executable, Path(folder))
    for python in pythons or [made(one) for one in others()]:
        name = version(python)
        with tempfile.TemporaryDirectory() as folder:
            found = smoke(python, Path(folder))
        differ = sorted(one for one in expected.keys() | found.keys() if expected.get(one) != found.get(one))
        broken = subprocess.run([python, "-m", "pytest", "--quiet", *tests()], cwd=ROOT, env=ENVIRONMENT).returncode
        says = f"{len(differ)} of {len(expected)} values differ: {', '.join(differ[:5])}" if differ else ""
        print(
            f"Python {name}: {says or f'all {len(expected)} values equal'}; tests {'failed' if broken else 'passed'}",
            flush=True,
        )
        failed += bool(differ or broken)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
