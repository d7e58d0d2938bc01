"""The sandbox shares no module with the connector: a misreading that both had would prove itself."""

import ast
import sys
from pathlib import Path

import app.connectors.servicem8.sandbox as package

FOLDER = Path(package.__file__).parent
ALLOWED = {"starlette", "msgspec", "orjson", "uvicorn"}


def _imports(file: Path) -> set[str]:
    """The top-level names of what a module imports; its own package's modules are a dot."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add("." if node.level == 1 else ".." if node.level else str(node.module).partition(".")[0])
    return names


def test_it_imports_itself_the_standard_library_and_four_others():
    files = sorted(FOLDER.glob("**/*.py"))
    foreign = {file.name: _imports(file) - {"."} - ALLOWED - sys.stdlib_module_names for file in files}

    assert len(files) > 20
    assert {name: found for name, found in foreign.items() if found} == {}
