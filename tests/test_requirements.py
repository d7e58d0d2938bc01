"""docs/requirements.md says which test proves which row; it is generated and must be in step."""

import subprocess
import sys
from pathlib import Path

import pytest
from graphql import GraphQLField, build_schema

from scripts import requirements

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = build_schema((ROOT / "graphql" / "schema.graphql").read_text(encoding="utf-8"))
ROUTES = [row for row in requirements.rows() if row["kind"] == "E" and row["id"].startswith("MK")]


def test_the_page_of_requirements_is_in_step_with_the_tests():
    result = subprocess.run([sys.executable, "scripts/requirements.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("row", ROUTES, ids=lambda row: row["id"])
def test_every_route_of_metakocka_has_its_equivalent_in_the_api(row: dict[str, str]):
    assert requirements.equivalents(row)


@pytest.mark.parametrize("row", [row for row in requirements.rows() if row["graphql"]], ids=lambda row: row["id"])
def test_an_equivalent_that_is_named_is_a_field_of_the_api_with_that_argument(row: dict[str, str]):
    for named in requirements.equivalents(row):
        name, _, argument = named.rstrip(")").partition("(")
        field = _root_field(name)
        assert field is not None, named
        assert not argument or argument in field.args, named


def _root_field(name: str) -> GraphQLField | None:
    assert SCHEMA.query_type
    assert SCHEMA.mutation_type
    return (SCHEMA.query_type.fields | SCHEMA.mutation_type.fields).get(name)


def test_what_metakocka_has_no_field_for_says_what_happens_instead():
    remarks = {row["id"]: row["remark"] for row in requirements.rows()}

    assert all(remarks[id] for id in ("MKC-25", "MKC-34", "MKC-35"))
