"""Rooms import from floors below their own only (CONTRIBUTING.md)."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "scripts" / "dmf"
FLOORS = [
    {"theory", "training", "proof"},
    {"grid"},
    {"dataset"},
    {"evidence"},
    {"claims", "studies"},
    {"figures", "refute"},
    {"report"},
    {"api"},
    {"cli"},
]
SHARED = ("training", "theory")  # of one floor; see the last test
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def imported(file: Path) -> set[str]:
    """Rooms of the package that a file imports from, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "dmf":
            names |= {f"dmf.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("dmf.")} & FLOOR.keys()


def test_every_room_has_a_floor() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == FLOOR.keys()


def test_imports_go_down_the_floors_only() -> None:
    for room, floor in FLOOR.items():
        for file in (PACKAGE / room).rglob("*.py"):
            for other in imported(file) - {room}:
                place = file.relative_to(PACKAGE)
                assert FLOOR[other] < floor or (room, other) == SHARED, f"{place} imports from {other}"


def test_training_takes_random_frames_from_theory_and_nothing_else() -> None:
    """What the theory says of a run must not come from the code that made it, nor the other way round."""
    for file in (PACKAGE / "training").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dmf.theory"):
                assert (node.module, [alias.name for alias in node.names]) == ("dmf.theory", ["haar"]), file
            elif isinstance(node, ast.Import):
                assert not [alias for alias in node.names if alias.name.startswith("dmf.theory")], file


def test_proofs_use_no_closed_form_of_theory_and_nothing_that_trained() -> None:
    """A theory must not be held against its own code, nor a run against the engine's own measurements."""
    for file in (PACKAGE / "proof").rglob("*.py"):
        assert imported(file) <= {"proof"}, file
