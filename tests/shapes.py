"""Checks the shapes in annotations, as in Float64[Array, "run d_L d_0"], at every call in the tests of WHERE.

Only mypy imports the names in them, so that dmf runs without jaxtyping. Here they are put into the annotated modules,
and jaxtyping with beartype wraps every public function, method and dataclass that has a shape.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import wraps
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_args, get_type_hints

import jaxtyping
from beartype import beartype

import dmf.theory

THEORY = [f"dmf.theory.{path.stem}" for path in sorted(Path(dmf.theory.__file__).parent.glob("[a-z]*.py"))]
MODULES = [
    *THEORY,
    *(f"dmf.training.{name}" for name in ("engine", "result", "trajectory")),
    "dmf.dataset.schema",
]
TESTS = Path(__file__).parent
WHERE = ("theory", "dataset", "training/test_engine.py", "test_shapes.py")
"""Not in all tests: a call of a closed form takes 20 microseconds more, as much again as it takes itself."""
NAMES = {name: getattr(jaxtyping, name) for name in ("Bool", "Float", "Float64", "Int8", "Int64")}


class Switch:
    """Whether calls are checked now."""

    on = True

    def set_for(self, test: Path) -> None:
        """On in the tests of WHERE, off in all others."""
        self.on = any(test.is_relative_to(TESTS / place) for place in WHERE)


SWITCH = Switch()


def public_functions(module: ModuleType) -> Iterator[tuple[object, str, Callable[..., Any]]]:
    """Functions and methods that a module defines and others call, each as (where it is bound, name, function)."""
    for owner in (module, *(one for one in vars(module).values() if inspect.isclass(one))):
        if owner is module or owner.__module__ == module.__name__:
            for name, value in vars(owner).items():
                ours = isinstance(value, FunctionType) and value.__module__ == module.__name__
                if ours and (name == "__call__" or not name.startswith("_")):
                    yield owner, name, value


def hints_of(annotated: Any, module: ModuleType) -> dict[str, Any]:
    """Annotations as types."""
    return get_type_hints(annotated, {**vars(module), **NAMES})


def has_shape(hint: Any) -> bool:
    """Whether a type is an array with a shape, or is made of such."""
    return (inspect.isclass(hint) and issubclass(hint, jaxtyping.AbstractArray)) or any(map(has_shape, get_args(hint)))


def checked(function: Callable[..., Any], hints: Mapping[str, Any]) -> Callable[..., Any]:
    """The function, with the shapes among `hints` checked; what is no array, mypy checks.

    Raises jaxtyping.TypeCheckError, but where the function refuses its arguments, what the function raises.
    """
    shapes = {name: hint for name, hint in hints.items() if has_shape(hint)}
    signature = inspect.signature(function)
    empty = inspect.Parameter.empty

    @wraps(function)
    def bare(*args: Any, **options: Any) -> Any:
        return function(*args, **options)

    bare.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[one.replace(annotation=shapes.get(name, empty)) for name, one in signature.parameters.items()],
        return_annotation=shapes.get("return", empty),
    )
    strict = jaxtyping.jaxtyped(bare, typechecker=beartype)

    @wraps(function)
    def outer(*args: Any, **options: Any) -> Any:
        if not SWITCH.on:
            return function(*args, **options)
        try:
            return strict(*args, **options)
        except jaxtyping.TypeCheckError:
            function(*args, **options)
            raise

    return outer


def check_shapes(also: dict[str, Any]) -> None:
    """Make functions with shapes check them where SWITCH is on: all of dmf, loaded or not, and the names `also`."""
    replaced: dict[Callable[..., Any], Callable[..., Any]] = {}
    for module in map(importlib.import_module, MODULES):
        for owner, name, function in list(public_functions(module)):
            hints = hints_of(function, module)
            if any(map(has_shape, hints.values())):
                replaced[function] = checked(function, hints)
                setattr(owner, name, replaced[function])
        for one in vars(module).values():
            if inspect.isclass(one) and is_dataclass(one) and one.__module__ == module.__name__:
                hints = hints_of(one, module)
                if any(map(has_shape, hints.values())):
                    one.__init__ = checked(one.__init__, hints)  # type: ignore[misc]
    bound = [vars(module) for name, module in sys.modules.items() if name.split(".")[0] == "dmf"]
    for names in (*bound, also):
        for name, value in names.items():
            if isinstance(value, FunctionType) and value in replaced:
                names[name] = replaced[value]
