"""External parts stand behind one place each: whoever exchanges one changes that place and nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.conftest import ROOT

PLACES = {
    "httpx": ("app/connectors/",),
    "arq": ("app/queue.py", "app/bootstrap.py", "jobs/worker.py"),
    "piccolo": ("app/database.py", "app/migrations.py", "app/piccolo_app.py", "tables.py"),
    "strawberry": ("app/api/",),
    "jinja2": ("portal/rendering.py",),
    "starlette": ("app/api/", "app/main.py", "app/demo/", "portal/", "/sandbox/", "app/connectors/sandbox_kit/"),
    "app.connectors.metakocka": ("app/connectors/metakocka/", "app/demo/"),
    "app.connectors.servicem8": ("app/connectors/servicem8/", "app/demo/"),
}
"""By part, the places that know it: the providers' HTTP, the queue, the tables, the API, the pages, the web, and each provider.
Repositories speak SQL through app/database.py and know asyncpg by its rows and errors; who is signed in, doors ask of
`hub.organizations`."""


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """What each file of the hub imports."""
    files = [path for folder in ("app", "portal", "jobs") for path in (ROOT / folder).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): set(_imports(path)) for path in files}


@pytest.mark.requirement("MKD-37")
@pytest.mark.parametrize("part", PLACES)
def test_a_part_is_known_in_its_place_alone(imports: dict[str, set[str]], part: str):
    knowing = {file for file, names in imports.items() if any(name == part or name.startswith(f"{part}.") for name in names)}

    assert {file for file in knowing if not any(place in file for place in PLACES[part])} == set()
    assert knowing
