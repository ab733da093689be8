"""The oracles share no code with the reference, and imports point one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"spec": set(), "reference": {"spec"}, "golden": {"spec"}, "conformance": {"spec", "reference", "golden"}}
FRAMEWORKS = {"tensorflow", "keras", "tf_keras", "torch", "jax"}


def imported(path: Path, room: str) -> set[str]:
    """Dotted names of the modules that a file imports; a relative import is written out."""
    names: set[str] = set()
    package = ["goldenstep", room, *path.relative_to(ROOT / room).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names |= {stem} | {f"{stem}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room: str) -> None:
    files = [path for path in (ROOT / room).rglob("*.py") if "oracles" not in path.parts]
    assert files
    for path in files:
        rooms = {name.split(".")[1] for name in imported(path, room) if name.startswith("goldenstep.")}
        assert rooms - {room} <= ROOMS[room], path
        if room != "conformance":
            assert not {name.split(".")[0] for name in imported(path, room)} & FRAMEWORKS, path


def test_the_oracles_share_no_code_with_the_project() -> None:
    files = list((ROOT / "golden" / "oracles").glob("*.py"))
    assert files
    for path in files:
        assert not {name for name in imported(path, "golden") if name.startswith("goldenstep")}, path
        ast.parse(path.read_text(), feature_version=(3, 8))
