"""The pages about the API that are made from the code: complete, and as the code says."""

import ast
import re
from pathlib import Path

import pytest
from graphql import GraphQLObjectType

from app.api.schema import schema
from app.commands.api_errors import errors_page
from app.commands.api_pages import differing, pages, write
from app.commands.api_reference import named_operations
from app.errors import HubError

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_pages_are_what_the_code_says():
    assert differing(ROOT / "docs") == [], "Run `crosswalk schema docs`."


def test_a_page_that_differs_is_named(tmp_path: Path):
    write(tmp_path)
    assert differing(tmp_path) == []

    (tmp_path / "api-errors.md").write_text("old")

    assert differing(tmp_path) == [tmp_path / "api-errors.md"]


def test_the_reference_has_every_field_argument_and_value():
    page = pages()["api-reference.md"]
    for name, kind in schema()._schema.type_map.items():
        if name.startswith("__") or name in ("Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID"):
            continue
        chapter = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert chapter.strip(), f"{name} has no chapter"
        described = getattr(kind, "fields", getattr(kind, "values", {}))
        if {"message", "code", "fixBy"} != set(described):
            assert [key for key in described if f"| `{key}` |" not in chapter] == [], name
    for root in ("query", "mutation", "subscription"):
        fields = getattr(schema()._schema, f"{root}_type").fields
        assert [name for name in fields if f"\n### {root} {name}\n" not in page] == []


def test_every_link_of_the_pages_leads_somewhere():
    written = pages()
    anchors = {name: {_anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)} for name, text in written.items()}
    anchors["api.md"] = {_anchor(heading) for heading in re.findall(r"^#+ (.+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)}
    for page, text in written.items():
        for target in set(re.findall(r"\]\(([^)]+)\)", text)) - {""}:
            file, _, anchor = target.partition("#")
            if file.startswith("http"):
                continue
            assert (ROOT / "docs" / (file or page)).exists(), target
            assert not anchor or anchor in anchors[file or page], f"{page}: {target}"


def test_every_root_field_has_a_ready_made_operation():
    page = pages()["api-reference.md"]
    without = [
        name
        for root in ("query", "mutation", "subscription")
        for name in getattr(schema()._schema, f"{root}_type").fields
        if "Ready-made:" not in page.partition(f"\n### {root} {name}\n")[2].partition("\n### ")[0]
    ]

    assert without == []


def test_a_default_an_argument_of_a_field_a_list_and_a_union_are_written_out():
    page = pages()["api-reference.md"]

    assert "\n| `first` | `Int!` = `50` | How many to return: 1 to 100. |\n" in page
    assert "newest first.<br>`first`: `Int!` = `5`. How many to return: 1 to 100. |\n" in page
    assert "Answers with \\[[Node](#node)\\]!." in page
    assert (
        "### Record\n\nOne item in the hub's own shape, whatever provider it came from.\n\nOne of [Contact](#contact), [Job](#job), "
        "[SalesDocument](#salesdocument), [Product](#product), [InventoryLevel](#inventorylevel)." in page
    )
    assert "Ready-made: [quotes.graphql](../graphql/operations/quotes.graphql)" in page


def test_every_refusal_and_every_error_class_is_in_the_list_of_errors():
    page = errors_page()
    refusals = [kind.name for kind in _refusals()]
    assert [name for name in refusals if f"api-reference.md#{name.lower()})" not in page] == []
    for error in _all_errors(HubError):
        assert f"`{error.code}`" in page or f"`{error.code.upper()}`" in page or error.code == "refused", error


def test_every_code_that_the_api_writes_by_itself_is_in_the_list_of_errors():
    page = errors_page()
    codes = {code for path in (ROOT / "app" / "api").rglob("*.py") for code in _written_codes(path)}

    assert {"INTERNAL_SERVER_ERROR", "BAD_USER_INPUT"} <= codes
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


@pytest.mark.parametrize("code", ["record_invalid", "unexpected", "value_refused"])
def test_a_code_that_no_error_class_has_is_still_used(code: str):
    texts = [path.read_text() for path in (ROOT / "app" / "syncs").glob("*.py")]

    assert any(f'"{code}"' in text for text in texts)
    assert f"| `{code}` |" in errors_page()


def test_named_operations_are_the_files():
    assert set(named_operations(ROOT / "graphql" / "operations")) == {path.name for path in (ROOT / "graphql" / "operations").iterdir()}


def _refusals() -> list[GraphQLObjectType]:
    known = schema()._schema
    return list(known.get_possible_types(known.type_map["Refusal"]))


def _all_errors(error: type[HubError]) -> list[type[HubError]]:
    below = [each for each in error.__subclasses__() if each.__module__.startswith("app.")]
    return below + [each for one in below for each in _all_errors(one)]


def _written_codes(path: Path) -> set[str]:
    """Upper-case texts that stand under the key "code"."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code" and isinstance(value, ast.Constant):
                    found.add(str(value.value))
    return found


def _anchor(heading: str) -> str:
    """As the pages of the repository's host make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
