"""The contract: what is committed is what is served, and everything in it says what it is."""

from pathlib import Path

import graphql
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, introspection_types

from app.api.schema import export_sdl, schema

CONTRACT = Path(__file__).resolve().parents[2] / "graphql" / "schema.graphql"
MUTATIONS = {
    "approveQuote",
    "cancelSyncRun",
    "createApiToken",
    "createConnection",
    "createSync",
    "deleteConnection",
    "deleteSync",
    "inviteClientContact",
    "rejectQuote",
    "restoreConnection",
    "retryDelivery",
    "retryFailedRecords",
    "revokeApiToken",
    "startSync",
    "testConnection",
    "testConnectionSettings",
    "updateConnection",
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
    missing = []
    for name, kind in _types().items():
        missing += [] if kind.description else [name]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in kind.fields.items():
                missing += [] if field.description else [f"{name}.{field_name}"]
                missing += [
                    f"{name}.{field_name}({key})" for key, argument in getattr(field, "args", {}).items() if not argument.description
                ]
        if isinstance(kind, GraphQLEnumType):
            missing += [f"{name}.{key}" for key, value in kind.values.items() if not value.description]

    assert missing == []


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
