"""No module imports, over whatever way, a module that imports it: imports for type checking count too."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ragbed

PACKAGE = Path(ragbed.__file__).parent


def module_name(path: Path, package: Path) -> str:
    """Return a file's name as an import writes it."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(package: Path) -> dict[str, set[str]]:
    """Return the modules of a package that each of its modules imports, wherever in the file."""
    files = {module_name(path, package): path for path in sorted(package.rglob("*.py"))}
    graph = {}
    for name, path in files.items():
        found = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                submodules = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= submodules & files.keys() or {node.module}
        graph[name] = found & files.keys() - {name}
    return graph


def circle(package: Path) -> list[str]:
    """Return the modules of one circle, the first again at the end; nothing where there is none."""
    try:
        TopologicalSorter(imports(package)).prepare()
    except CycleError as error:
        modules: list[str] = error.args[1]
        return modules
    return []


def test_no_module_is_in_an_import_circle() -> None:
    """What two modules share has a module of its own, below both."""
    assert circle(PACKAGE) == []


@pytest.mark.parametrize(
    "back",
    [
        "from house.roof import tile",
        "import house.roof",
        "from house import roof",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.roof import tile",
        "def late():\n    from house.roof import tile",
    ],
    ids=["from", "import", "submodule", "for types", "late"],
)
def test_a_circle_is_seen(back: str, tmp_path: Path) -> None:
    """However the import is written."""
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").touch()
    (house / "roof.py").write_text("from house.wall import brick\ntile = 1\n", encoding="utf-8")
    (house / "wall.py").write_text(f"{back}\nbrick = 1\n", encoding="utf-8")

    assert set(circle(house)) == {"house.roof", "house.wall"}
