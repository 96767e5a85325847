"""What our own sources must not do, and what the pinned versions must be; by syntax, so that no run is needed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dmf.report.template import environment
from harness import ROOT

SOURCES = sorted([*(ROOT / "scripts").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")])
RULES = sorted((ROOT / "workflow").rglob("*.smk"))
# Modules that unpickle or run a shell, functions that run text, and readers that unpickle unless told not to.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "pty", "commands"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.load_all", "torch.load"}
CALLS |= {"yaml.unsafe_load", "yaml.full_load", "np.load", "numpy.load", "pandas.read_pickle", "pd.read_pickle"}


def offences(source: str) -> Iterator[str]:
    """Lines of a source that could run what a user wrote."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in CALLS or (name.startswith("os.") and name[3:].startswith(("spawn", "exec", "popen"))):
                yield name
            for word in node.keywords:
                value = ast.unparse(word.value)
                if (word.arg == "shell" and value != "False") or (word.arg == "allow_pickle" and value != "False"):
                    yield f"{name}({word.arg}={value})"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_runs_text_or_unpickles(path: Path) -> None:
    assert list(offences(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib.numpy_pickle",
        "eval(x)",
        "os.system('ls')",
        "os.execv(a, b)",
        "subprocess.run(x, shell=True)",
        "subprocess.run(x, shell=flag)",
        "yaml.load(f)",
        "np.load(f)",
        "np.lib.format.read_array(f, allow_pickle=True)",
        "torch.load(f)",
    ],
)
def test_the_search_for_offences_finds_them(line: str) -> None:
    assert list(offences(line))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_no_rule_hands_text_to_a_shell(path: Path) -> None:
    assert not re.search(r"^\s*shell:|\bshell\(|\b(eval|exec)\(", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_dependency_is_pinned_to_one_version() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins == sorted(set(pins), key=str.lower)
    for pin in pins:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+", pin), pin


def test_every_direct_dependency_has_a_pin() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [line for group in (project["dependencies"], *project["optional-dependencies"].values()) for line in group]
    names = {re.split(r"[<>=\[ ]", line)[0].lower().replace("_", "-") for line in wanted}
    pins = re.findall(r"^([^=#\s]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert names - {"dmf-landscape"} <= {pin.lower().replace("_", "-") for pin in pins}


def test_the_page_escapes_by_default() -> None:
    assert environment().autoescape is True
    for template in (ROOT / "scripts/dmf/report").rglob("*.j2"):
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", template.read_text(encoding="utf-8")), template.name
