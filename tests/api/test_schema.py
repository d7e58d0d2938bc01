"""The contract: what is committed is what is served, and everything in it says what it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import graphql
from graphql import GraphQLEnumType, GraphQLInterfaceType, GraphQLObjectType, introspection_types, is_specified_scalar_type

from app.api.schema import export_sdl, schema

CONTRACT = Path(__file__).resolve().parents[2] / "graphql" / "schema.graphql"
MUTATIONS = {
    "alwaysResolve",
    "applyPlan",
    "approveQuote",
    "cancelSyncRun",
    "cleanOrphans",
    "createApiToken",
    "createConnection",
    "createContact",
    "createSalesDocument",
    "createSync",
    "deleteConnection",
    "deleteContact",
    "deleteSalesDocument",
    "deleteSync",
    "dismissPlan",
    "dismissFailedRecords",
    "dismissQuarantine",
    "editFailedRecord",
    "importRecord",
    "importRecords",
    "inviteClientContact",
    "mergeContacts",
    "planSync",
    "publishFieldMapping",
    "pushRecord",
    "pushRecords",
    "rejectQuote",
    "reopenConflicts",
    "releaseQuarantine",
    "reopenFailedRecord",
    "resolveConflict",
    "resolveConflicts",
    "restoreConnection",
    "restoreOrphans",
    "restoreRecord",
    "retryDelivery",
    "retryFailedRecords",
    "revokeApiToken",
    "rollBackFieldMapping",
    "saveFieldMapping",
    "selectPlanItems",
    "startSync",
    "testConnection",
    "testConnectionSettings",
    "unmergeContact",
    "undoSyncRun",
    "updateConnection",
    "updateContact",
    "updateSalesDocument",
    "updateStreamPolicy",
    "updateSync",
}


def _types() -> dict[str, graphql.GraphQLNamedType]:
    known = schema()._schema.type_map
    return {
        name: kind
        for name, kind in known.items()
        if name not in introspection_types and name not in ("Int", "Float", "String", "Boolean", "ID")
    }


def test_the_committed_schema_is_the_one_that_is_served():
    assert CONTRACT.read_text() == export_sdl(), "Run `crosswalk schema export > graphql/schema.graphql`."


def test_the_library_is_not_shadowed_by_the_folder_of_the_same_name():
    assert "site-packages" in graphql.__file__


def test_everything_in_the_schema_is_described():
    assert list(_undescribed(schema()._schema)) == []


def test_whatever_is_not_described_is_named():
    planted = graphql.build_schema("""
        type Query { "What it is." told(untold: Int): Kind other: Thing }
        "Described." enum Kind { UNTOLD "Described." TOLD }
        type Thing implements Named { name: ID }
        "Described." interface Named { name: ID }
        "Described." input Wish { "Described." told: Int untold: Int }
        "Described." union Either = Thing
        scalar Odd
        "Described." directive @marked(untold: Int) on FIELD
    """)

    assert set(_undescribed(planted)) == {
        "Query",
        "Query.told(untold)",
        "Query.other",
        "Kind.UNTOLD",
        "Thing",
        "Thing.name",
        "Named.name",
        "Wish.untold",
        "Odd",
        "@marked(untold)",
    }


def _undescribed(served: graphql.GraphQLSchema) -> Iterator[str]:
    """The names of all that has no description: types, fields, arguments, input fields, enum values, directives."""
    for name, kind in served.type_map.items():
        if name in introspection_types or is_specified_scalar_type(kind):
            continue
        if not kind.description:
            yield name
        parts = getattr(kind, "values" if isinstance(kind, GraphQLEnumType) else "fields", {})
        for key, part in parts.items():
            yield from _undescribed_part(f"{name}.{key}", part)
    for directive in served.directives:
        yield from _undescribed_part(f"@{directive.name}", directive)


def _undescribed_part(name: str, part: Any) -> Iterator[str]:
    if not part.description:
        yield name
    yield from (f"{name}({key})" for key, argument in getattr(part, "args", {}).items() if not argument.description)


def test_every_mutation_takes_an_idempotency_key_and_answers_with_a_union_of_success_and_refusals():
    refusal = schema()._schema.type_map["Refusal"]
    mutation = schema()._schema.mutation_type
    assert set(mutation.fields) == MUTATIONS
    for name, field in mutation.fields.items():
        assert str(field.args["idempotencyKey"].type) == "String!", name
        success, *refusals = field.type.of_type.types
        assert success.name.lower() == f"{name}Success".lower()
        assert refusals
        assert all(refusal in member.interfaces for member in refusals), name


def test_no_type_that_can_be_read_has_a_field_for_a_secret():
    shown_once = {("CreateApiTokenSuccess", "secret")}
    suspicious = {"apikey", "credentials", "password", "secret", "tokenhash", "csrftoken"}
    found = {
        (name, field)
        for name, kind in _types().items()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and name not in ("Mutation",)
        for field in kind.fields
        if field.lower().replace("_", "") in suspicious
    }

    assert found == shown_once
