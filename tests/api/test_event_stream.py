"""Who gets a stream of events, and how its lines end."""

import pytest

from app.api.accept import wants_event_stream
from tests.api.client import GraphQLClient

URQL = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"


@pytest.mark.parametrize("accept", ["text/event-stream", "text/event-stream, multipart/mixed", "application/json;q=0.5, text/event-stream"])
def test_whoever_asks_for_events_first_gets_events(accept: str):
    assert wants_event_stream(accept)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", URQL, "application/json, text/event-stream;q=0.9"])
def test_whoever_likes_json_as_much_gets_json(accept: str | None):
    assert not wants_event_stream(accept)


async def test_a_query_that_accepts_everything_is_answered_in_json(api: GraphQLClient):
    response = await api.send("{ viewer { name } }", Accept=URQL)

    assert response.headers["content-type"].startswith("application/graphql-response+json")
    assert response.json() == {"data": {"viewer": {"name": "A token for owner"}}}


async def test_events_end_with_line_feeds(api: GraphQLClient):
    response = await api.send("{ viewer { name } }", Accept="text/event-stream")

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text == 'event: next\ndata: {"data":{"viewer":{"name":"A token for owner"}}}\n\nevent: complete\ndata: \n\n'
