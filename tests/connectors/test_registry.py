"""Connectors are found by their folders; a bad one is refused by name."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from app.connectors.base import FieldMapping, RateLimit
from app.connectors.registry import ConnectorInvalid, find_connectors
from app.connectors.servicem8.connector import connector as good
from app.connectors.servicem8.streams import ObjectStream

IMPORT = "from tests.connectors.test_registry import CASE as connector\n"
CASE: object = None


@pytest.fixture
def package(tmp_path: Path) -> Iterator[ModuleType]:
    """An empty package of connectors."""
    name = f"connectors_of_{tmp_path.name}"
    found = ModuleType(name)
    found.__path__ = [str(tmp_path)]
    sys.modules[name] = found
    yield found
    for loaded in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[loaded]


def add_folder(package: ModuleType, folder: str, text: str) -> None:
    path = Path(package.__path__[0]) / folder
    path.mkdir()
    (path / "__init__.py").touch()
    (path / "connector.py").write_text(text)


def put(case: object) -> None:
    global CASE
    CASE = case


def test_servicem8_is_found():
    assert find_connectors()["servicem8"] is good


def test_a_folder_is_the_whole_change(package: ModuleType):
    put(replace(good, provider="another"))
    add_folder(package, "another", IMPORT)

    assert list(find_connectors(package)) == ["another"]


def test_a_folder_that_cannot_be_imported_is_named(package: ModuleType):
    add_folder(package, "broken", "import no_such_module_anywhere\n")

    with pytest.raises(ConnectorInvalid, match="'broken' cannot be imported: ModuleNotFoundError"):
        find_connectors(package)


def stream_with(**changes: object) -> ObjectStream:
    jobs = good.streams["jobs"]
    assert isinstance(jobs, ObjectStream)
    return replace(jobs, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (None, "has no `connector`"),
        (replace(good, provider="other"), "must have the folder's name"),
        (replace(good, provider="bad", streams={}, actions={}), "neither streams nor actions"),
        (replace(good, provider="bad", settings=good.settings[1:]), "other settings than its class has: api_key"),
        (replace(good, provider="bad", settings_class=dict), "needs a msgspec.Struct"),
        (replace(good, provider="bad", streams={"x": good.streams["jobs"]}), "the stream 'jobs' under the name 'x'"),
        (replace(good, provider="bad", actions={"x": good.actions["approve_quote"]}), "the action 'approve_quote' under the name 'x'"),
        (replace(good, provider="bad", streams={"jobs": stream_with(after=("parts",))}), "after the unknown parts"),
        (replace(good, provider="bad", streams={"jobs": stream_with(record_stream="work", after=())}), "the unknown stream 'work'"),
        (replace(good, provider="bad", streams={"jobs": stream_with(fields=FieldMapping(1, ()), after=())}), "no field mapping"),
        (replace(good, provider="bad", rate_limits=(RateLimit("minute", 5, 60, 5),)), "rate limit 'minute'"),
    ],
)
def test_a_bad_connector_is_refused_by_name_with_what_is_wrong(package: ModuleType, case: object, sentence: str):
    put(case)
    add_folder(package, "bad", IMPORT)

    with pytest.raises(ConnectorInvalid) as refused:
        find_connectors(package)

    assert "'bad'" in refused.value.message
    assert sentence in refused.value.message
