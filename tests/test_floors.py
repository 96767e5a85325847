"""Rooms import from floors below their own only (CONTRIBUTING.md)."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "scripts" / "dmf"
FLOORS = [
    {"theory", "training"},
    {"grid"},
    {"dataset"},
    {"evidence"},
    {"studies", "claims", "figures"},
    {"refute"},
    {"report"},
    {"cli"},
]
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
                assert FLOOR[other] < floor, f"{file.relative_to(PACKAGE)} imports from {other}"
