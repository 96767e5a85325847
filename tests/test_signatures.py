"""Functions that a person calls take few arguments: what belongs together is an object."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "scripts" / "dmf"
MOST = 6
EXCEPT = {
    "training/compiled_engine/": "compiled kernels take numbers and offsets into arrays; they know no objects",
    "api/training.py:train": "people name what they change; all but three have defaults, and are keys of a grid",
}


def functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Public functions and methods, not those inside of functions, by qualified name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef) and (not child.name.startswith("_") or child.name == "__init__"):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from functions(child, f"{prefix}{child.name}.")


def argument_count(function: ast.FunctionDef) -> int:
    args = function.args
    return sum(arg.arg not in ("self", "cls") for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs))


def counts() -> dict[str, int]:
    """The number of arguments of every public function, by file and name."""
    files = {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*.py")}
    return {
        f"{file}:{name}": argument_count(function)
        for file, path in files.items()
        for name, function in functions(ast.parse(path.read_text(encoding="utf-8")))
    }


def test_no_public_function_takes_more_than_six_arguments() -> None:
    long = {place: count for place, count in counts().items() if count > MOST}
    assert not [place for place in long if not place.startswith(tuple(EXCEPT))]
    assert all(any(place.startswith(room) for place in long) for room in EXCEPT), "an exception that nothing needs"


def test_keyword_arguments_are_counted() -> None:
    (function,) = ast.parse("def f(self, a, /, b, *rest, c, d=1, **more): ...").body
    assert isinstance(function, ast.FunctionDef)
    assert argument_count(function) == 4
    assert counts()["training/engine.py:train"] == 5
