"""A sandbox shares no module with its connector: a misreading that both had would prove itself."""

import ast
import sys
from pathlib import Path

import pytest

import app.connectors as package

FOLDER = Path(package.__file__).parent
KIT = "app.connectors.sandbox_kit"
SANDBOXES = [FOLDER / "sandbox_kit", *sorted(FOLDER.glob("*/sandbox"))]
ALLOWED = {".", KIT, "starlette", "msgspec", "orjson", "uvicorn"}


def _imports(file: Path) -> set[str]:
    """The top-level names of what a module imports; its own package's modules are a dot."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add("." * node.level if node.level else _origin(str(node.module)))
    return names


def _origin(module: str) -> str:
    return KIT if module.startswith(f"{KIT}.") else module.partition(".")[0]


def test_all_sandboxes_are_looked_at():
    assert {folder.parent.name for folder in SANDBOXES} >= {"connectors", "servicem8", "metakocka"}


@pytest.mark.parametrize("folder", SANDBOXES, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_sandbox_imports_itself_the_kit_the_standard_library_and_four_others(folder: Path):
    files = sorted(folder.glob("**/*.py"))
    foreign = {file.name: _imports(file) - ALLOWED - sys.stdlib_module_names for file in files}

    assert len(files) > 8
    assert {name: found for name, found in foreign.items() if found} == {}
