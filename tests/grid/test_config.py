"""A configuration is taken as it is meant, or refused in one line that names file, key, value and expectation."""

from copy import deepcopy
from typing import Any

import pytest

from dmf.errors import UserError
from dmf.grid.config import Grid, chosen, validate
from dmf.training.settings import GradientDescent, Lbfgs

BASE: dict[str, Any] = {
    "grid": "demo",
    "targets": [
        {"name": "g", "kind": "gaussian", "shape": [3, 4]},
        {"name": "s", "kind": "spectrum", "shape": [3, 3], "singular_values": [2, 1]},
        {"name": "f", "kind": "file", "path": "m.npy"},
    ],
    "depths": [3],
    "lambdas": {"relative": [0.5]},
    "starts": {},
    "optimizer": {"name": "lbfgs"},
    "certificate": {},
    "keep": {},
    "refute": {},
    "tiles": {},
}
NAN, INF, ABSENT = float("nan"), float("inf"), object()


def changed(key: str, value: Any) -> dict[str, Any]:
    """BASE with the value at a dotted key replaced, or taken away where it is ABSENT."""
    raw: Any = deepcopy(BASE)
    *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    place = raw
    for part in path:
        place = place[part]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return raw


def test_the_base_is_valid_and_has_the_documented_defaults() -> None:
    grid = validate({key: BASE[key] for key in ("grid", "targets", "depths", "lambdas")}, "demo.yaml")
    assert grid == validate(BASE, "demo.yaml")
    assert (grid.seed, grid.hidden_widths, grid.title) == (0, "same", None)
    assert (grid.starts.schemes, grid.starts.scales, grid.starts.count) == (["gaussian"], [0.5, 1.0, 2.0], 8)
    assert grid.optimizer == Lbfgs(name="lbfgs", memory=3, max_iterations=5000)
    assert (grid.certificate.gradient_norm, grid.certificate.runs_per_cell) == (1e-10, 2)
    assert (grid.certificate.cells, grid.keep.layers, grid.tiles.seconds) == (0.5, False, 20.0)
    assert (grid.lambdas.relative, grid.lambdas.absolute) == ([0.5], [])


@pytest.mark.parametrize(
    ("key", "value", "reads"),
    [
        ("lambdas", {"absolute": ["1e-9"]}, lambda g: g.lambdas.absolute == [1e-9]),  # PyYAML: text
        ("lambdas.relative", [1], lambda g: g.lambdas.relative == [1.0]),
        ("optimizer", {"name": "gd", "step": "1e-3"}, lambda g: g.optimizer == GradientDescent(name="gd", step=0.001)),
        ("certificate.gradient_norm", "1e-8", lambda g: g.certificate.gradient_norm == 1e-8),
        ("hidden_widths", 7, lambda g: g.hidden_widths == 7),
        ("hidden_widths", [4, 5], lambda g: g.hidden_widths == [4, 5]),
        ("targets.1.singular_values", [0, 3], lambda g: g.targets[1].singular_values == [0, 3]),
        ("grid", "a-b_c.2", lambda g: g.grid == "a-b_c.2"),
        ("seed", 2**63 - 1, lambda g: g.seed == 2**63 - 1),
    ],
    ids=lambda value: str(value)[:24] if not callable(value) else "",
)
def test_good_values_are_taken_as_they_are_meant(key: str, value: Any, reads: Any) -> None:
    grid: Grid = validate(changed(key, value), "demo.yaml")
    assert reads(grid)


NAME = "expected letters, digits, '_', '.' and '-'"
MAPPING = "expected a mapping of keys to values"
WIDTHS = "expected same, a whole number from 1 to 4096, or a list"
BAD: list[tuple[str, Any, list[str]]] = [
    # keys
    ("seeds", 1, ["seeds: unknown key", "did you mean seed?"]),
    ("spectrum", 1, ["spectrum: unknown key"]),
    ("lbfgs", {}, ["lbfgs: unknown key"]),
    ("a[0]", 1, ["a[0]: unknown key"]),
    ("starts.cout", 3, ["starts.cout: unknown key"]),
    ("lambdas.relatve", [1], ["lambdas.relatve: unknown key"]),
    ("targets.0.singular_values", [1], ["targets.0.singular_values: unknown key"]),
    ("targets.2.file", "m.npy", ["targets.2.file: unknown key"]),
    ("optimizer.step", 0.1, ["optimizer.step: unknown key"]),
    ("optimizer.lbfgs", 1, ["optimizer.lbfgs: unknown key"]),
    ("certificate.run", 1, ["certificate.run: unknown key"]),
    ("keep.layer", True, ["keep.layer: unknown key"]),
    ("tiles.second", 1, ["tiles.second: unknown key"]),
    ("grid", ABSENT, ["grid: missing"]),
    ("targets", ABSENT, ["targets: missing"]),
    ("depths", ABSENT, ["depths: missing"]),
    ("lambdas", ABSENT, ["lambdas: missing"]),
    ("targets.0.name", ABSENT, ["targets.0.name: missing"]),
    ("targets.0.kind", ABSENT, ["targets.0.kind: missing"]),
    ("targets.0.shape", ABSENT, ["targets.0.shape: missing"]),
    ("targets.1.singular_values", ABSENT, ["targets.1.singular_values: missing"]),
    ("targets.2.path", ABSENT, ["targets.2.path: missing"]),
    ("optimizer.name", ABSENT, ["optimizer.name: missing"]),
    # names
    ("grid", "a/b", ["grid: got 'a/b'", NAME]),
    ("grid", "..", ["grid: got '..'", NAME]),
    ("grid", "", ["grid: got ''", NAME]),
    ("grid", "/tmp/x", ["grid: got '/tmp/x'", NAME]),
    ("grid", "a\n", ["grid: got 'a\\n'", NAME]),
    ("grid", "-rf", ["grid: got '-rf'", NAME]),
    ("grid", "é", ["grid: got 'é'", NAME]),
    ("grid", "a" * 65, ["grid: got 'aaa", "at most 64 characters"]),
    ("grid", 3, ["grid: got 3", "expected text"]),
    ("grid", None, ["grid: got None", "expected text"]),
    ("title", 3, ["title: got 3", "expected text"]),
    ("targets.0.name", "a b", ["targets.0.name: got 'a b'", NAME]),
    ("targets.1.name", "g", ["targets: name g given twice", "unique"]),
    ("targets.0.label", "x" * 81, ["targets.0.label: got 'xxx", "at most 80 characters"]),
    # seed and counts
    ("seed", -1, ["seed: got -1", "at least 0"]),
    ("seed", 1.5, ["seed: got 1.5", "a whole number"]),
    ("seed", "x", ["seed: got 'x'", "a whole number"]),
    ("seed", True, ["seed: got True", "a whole number"]),
    ("seed", 2**63, ["seed: got 9223372036854775808", "less than 9223372036854775808"]),
    ("starts.count", 0, ["starts.count: got 0", "at least 1"]),
    ("starts.count", 2.5, ["starts.count: got 2.5", "a whole number"]),
    ("starts.count", "8", ["starts.count: got '8'", "a whole number"]),
    ("starts.count", None, ["starts.count: got None", "a whole number"]),
    ("starts.count", 10**9, ["starts.count: got 1000000000", "at most 10000000"]),
    # targets
    ("targets", [], ["targets: got []", "a list of at least 1"]),
    ("targets", {"name": "a"}, ["targets: got {'name': 'a'}", "expected a list"]),
    ("targets.0", "a", ["targets.0: got 'a'", MAPPING]),
    ("targets.0", None, ["targets.0: got None", MAPPING]),
    ("targets.0.kind", "gauss", ["targets.0.kind: got 'gauss'", "'gaussian', 'spectrum', 'file'"]),
    ("targets.0.kind", 3, ["targets.0.kind: got 3", "'gaussian', 'spectrum', 'file'"]),
    ("targets.0.shape", 3, ["targets.0.shape: got 3", "expected a list"]),
    ("targets.0.shape", [3], ["targets.0.shape.1: missing"]),
    ("targets.0.shape", [3, 4, 5], ["targets.0.shape: got [3, 4, 5]", "at most 2"]),
    ("targets.0.shape", [0, 4], ["targets.0.shape.0: got 0", "at least 1"]),
    ("targets.0.shape", [3, 4.5], ["targets.0.shape.1: got 4.5", "a whole number"]),
    ("targets.0.shape", [5000, 1], ["targets.0.shape.0: got 5000", "at most 4096"]),
    ("targets.0.scale", 0, ["targets.0.scale: got 0", "greater than 0"]),
    ("targets.0.scale", [1], ["targets.0.scale: got [1]", "expected a number"]),
    ("targets.0.scale", 1e300, ["targets.0.scale: got 1e+300", "at most 1e+50"]),
    ("targets.0.scale", 1e-300, ["targets.0.scale: got 1e-300", "at least 1e-50"]),
    ("targets.1.singular_values", [1, 1, 1, 1], ["targets.1: singular_values: got 4", "[3, 3] has at most 3"]),
    ("targets.1.singular_values", [0, 0.0], ["targets.1: singular_values: all are zero"]),
    ("targets.1.singular_values", [], ["targets.1.singular_values: got []", "at least 1"]),
    ("targets.1.singular_values", [1, -1], ["targets.1.singular_values.1: got -1", "at least 0"]),
    ("targets.1.singular_values", [NAN], ["targets.1.singular_values.0: got nan", "finite"]),
    ("targets.1.singular_values", 2, ["targets.1.singular_values: got 2", "expected a list"]),
    ("targets.2.path", "", ["targets.2.path: got ''", "not an empty one"]),
    ("targets.2.path", 3, ["targets.2.path: got 3", "expected text"]),
    ("targets.2.variable", 3, ["targets.2.variable: got 3", "expected text"]),
    # depths and widths
    ("depths", [], ["depths: got []", "at least 1"]),
    ("depths", 3, ["depths: got 3", "expected a list"]),
    ("depths", "3", ["depths: got '3'", "expected a list"]),
    ("depths", [1], ["depths.0: got 1", "at least 2"]),
    ("depths", [3, 2.5], ["depths.1: got 2.5", "a whole number"]),
    ("depths", [True], ["depths.0: got True", "a whole number"]),
    ("depths", [201], ["depths.0: got 201", "at most 200"]),
    ("depths", [2, 3, 2], ["depths: 2 given twice"]),
    ("hidden_widths", "sam", ["hidden_widths: got 'sam'", WIDTHS]),
    ("hidden_widths", 0, ["hidden_widths: got 0", WIDTHS]),
    ("hidden_widths", 2.5, ["hidden_widths: got 2.5", WIDTHS]),
    ("hidden_widths", True, ["hidden_widths: got True", WIDTHS]),
    ("hidden_widths", [], ["hidden_widths: got []", WIDTHS]),
    ("hidden_widths", [3, -3], ["hidden_widths: got [3, -3]", WIDTHS]),
    ("hidden_widths", [3, 3, 3], ["hidden_widths: a list of 3 fits depth 4 only", "depths has 3"]),
    # lambdas
    ("lambdas", {}, ["lambdas: no lambda given", "relative or absolute"]),
    ("lambdas", {"relative": []}, ["lambdas: no lambda given"]),
    ("lambdas", [0.5], ["lambdas: got [0.5]", MAPPING]),
    ("lambdas", None, ["lambdas: got None", MAPPING]),
    ("lambdas.relative", 0.5, ["lambdas.relative: got 0.5", "expected a list"]),
    ("lambdas.relative", [0], ["lambdas.relative.0: got 0", "greater than 0"]),
    ("lambdas.absolute", [1, -0.5], ["lambdas.absolute.1: got -0.5", "greater than 0"]),
    ("lambdas.relative", [NAN], ["lambdas.relative.0: got nan", "finite"]),
    ("lambdas.relative", [INF], ["lambdas.relative.0: got inf", "finite"]),
    ("lambdas.relative", ["abc"], ["lambdas.relative.0: got 'abc'", "expected a number"]),
    ("lambdas.relative", [True], ["lambdas.relative.0: got True", "expected a number"]),
    ("lambdas.relative", [None], ["lambdas.relative.0: got None", "expected a number"]),
    ("lambdas.relative", [0.5, 1, 0.5], ["lambdas.relative: 0.5 given twice"]),
    ("lambdas.relative", [1e308], ["lambdas.relative.0: got 1e+308", "at most 1e+50"]),
    # starts
    ("starts", None, ["starts: got None", MAPPING]),
    ("starts.schemes", [], ["starts.schemes: got []", "at least 1"]),
    ("starts.schemes", "gaussian", ["starts.schemes: got 'gaussian'", "expected a list"]),
    (
        "starts.schemes",
        ["gaus"],
        ["starts.schemes.0: got 'gaus'", "'gaussian', 'orthogonal', 'balanced' or 'identity'"],
    ),
    ("starts.schemes", ["identity", "identity"], ["starts.schemes: identity given twice"]),
    ("starts.scales", [], ["starts.scales: got []", "at least 1"]),
    ("starts.scales", [0], ["starts.scales.0: got 0", "greater than 0"]),
    ("starts.scales", [1, 1.0], ["starts.scales: 1.0 given twice"]),
    # optimizer, certificate, keep, tiles
    ("optimizer", "lbfgs", ["optimizer: got 'lbfgs'", MAPPING]),
    ("optimizer.name", "sgd", ["optimizer.name: got 'sgd'", "'lbfgs', 'continuation', 'gd', 'nesterov', 'adam'"]),
    ("device", "gpu", ["device: got 'gpu'", "expected auto, cpu, torch, cuda or cuda:N"]),
    ("device", 0, ["device: got 0", "expected text"]),
    ("optimizer.memory", 0, ["optimizer.memory: got 0", "at least 1"]),
    ("optimizer.memory", "3", ["optimizer.memory: got '3'", "a whole number"]),
    ("optimizer", {"name": "gd", "step": 0}, ["optimizer.step: got 0", "greater than 0"]),
    ("optimizer", {"name": "gd", "step": INF}, ["optimizer.step: got inf", "finite"]),
    ("optimizer", {"name": "gd", "step": True}, ["optimizer.step: got True", "expected a number"]),
    ("optimizer.max_iterations", 0, ["optimizer.max_iterations: got 0", "at least 1"]),
    ("certificate.gradient_norm", 0, ["certificate.gradient_norm: got 0", "at least 1e-15"]),
    ("certificate.gradient_norm", 0.01, ["certificate.gradient_norm: got 0.01", "less than 0.01"]),
    ("certificate.runs_per_cell", 0, ["certificate.runs_per_cell: got 0", "at least 1"]),
    ("certificate.cells", 1.5, ["certificate.cells: got 1.5", "at most 1"]),
    ("certificate.cells", 0, ["certificate.cells: got 0", "greater than 0"]),
    ("keep.layers", "yes", ["keep.layers: got 'yes'", "true or false"]),
    ("keep.layers", 1, ["keep.layers: got 1", "true or false"]),
    ("tiles.seconds", 0, ["tiles.seconds: got 0", "greater than 0"]),
    ("tiles", 5, ["tiles: got 5", MAPPING]),
]


@pytest.mark.parametrize(("key", "value", "fragments"), BAD, ids=[f"{key}={str(value)[:20]}" for key, value, _ in BAD])
def test_a_bad_value_is_refused_in_one_line_that_names_it(key: str, value: Any, fragments: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        validate(changed(key, value), "demo.yaml")
    message = str(caught.value)
    assert message.startswith(f"demo.yaml: {fragments[0]}")
    for fragment in fragments:
        assert fragment in message
    assert "\n" not in message
    assert len(message) < 220
    for jargon in ("Input should", "constrained", "discriminator", "validation", "instance of", "tag"):
        assert jargon not in message


@pytest.mark.parametrize("raw", [[1], "text", None, 3, True], ids=str)
def test_something_else_than_a_mapping_is_refused(raw: Any) -> None:
    with pytest.raises(UserError) as caught:
        validate(raw, "demo.yaml")
    assert str(caught.value) == f"demo.yaml: got {raw!r}: {MAPPING}"


def test_a_key_that_is_a_number_is_refused() -> None:
    with pytest.raises(UserError, match=r"^demo.yaml: 5: got 5: expected a key that is text$"):
        validate({**BASE, 5: 1}, "demo.yaml")


def test_the_misspelt_key_is_named_rather_than_the_one_missing_because_of_it() -> None:
    raw = changed("depths", ABSENT) | {"depth": [3]}
    with pytest.raises(UserError, match=r"depth: unknown key.*\(and 1 more\)$"):
        validate(raw, "demo.yaml")


def test_the_number_of_further_problems_is_told() -> None:
    raw = changed("lambdas", {"relative": [0.5, -1, 0]}) | {"seed": -1}
    with pytest.raises(UserError, match=r"seed: got -1: .* \(and 2 more\)$"):
        validate(raw, "demo.yaml")


def test_a_long_value_is_cut() -> None:
    with pytest.raises(UserError, match=r"grid: got \['x+\.\.\.: expected text$"):
        validate(changed("grid", ["x" * 500]), "demo.yaml")


@pytest.mark.parametrize("runs", [1, 199])
def test_a_search_too_small_for_its_own_control_is_refused(runs: int) -> None:
    with pytest.raises(UserError, match=rf"refute\.runs: got {runs}: expected 0 or at least 200"):
        validate(changed("refute.runs", runs), "demo.yaml")
    assert validate(changed("refute.runs", 0), "demo.yaml").refute.runs == 0


def test_all_some_or_none_in_the_order_they_are_known() -> None:
    assert chosen("studies", "all", ["b", "a"], "x.yaml") == ["b", "a"]
    assert chosen("studies", ["a", "b"], ["b", "a", "c"], "x.yaml") == ["b", "a"]
    assert chosen("studies", [], ["a"], "x.yaml") == []


def test_a_name_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"^x\.yaml: figures: got 'c', expected all or names out of a, b$"):
        chosen("figures", ["a", "c"], ["a", "b"], "x.yaml")


ONE = {"name": "a", "kind": "gaussian", "shape": [2, 2]}
UNKNOWN = "unknown key; see config/README.md for the keys"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"depth": [3]}, "x: depth: unknown key; did you mean depths?"),
        ({"starts": {"counts": 3}}, "x: starts.counts: unknown key; did you mean count?"),
        (
            {"targets": [{"name": "a", "kind": "gaussian", "shpe": [2, 2]}]},
            "x: targets.0.shpe: unknown key; did you mean shape? (and 1 more)",
        ),
        ({"optimizer": {"name": "gd", "stp": 1}}, "x: optimizer.stp: unknown key; did you mean step?"),
        (
            {"optimizer": {"name": "lbfgs", "step": 1}},
            "x: optimizer.step: unknown key; see config/README.md for the keys",
        ),
        ({"colour": 3}, "x: colour: unknown key; see config/README.md for the keys"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_one_that_was_meant(change: dict[str, Any], line: str) -> None:
    raw = {"grid": "g", "targets": [ONE], "depths": [2], "lambdas": {"absolute": [1]}, **change}
    with pytest.raises(UserError) as refused:
        validate(raw, "x")
    assert str(refused.value) == line
