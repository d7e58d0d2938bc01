"""Which of the two media types of GraphQL over HTTP a caller prefers, and whether it wants a stream of events instead.

https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types
"""

GRAPHQL_RESPONSE = "application/graphql-response+json"

_JSON = "application/json"
_EVENTS = "text/event-stream"


def wants_graphql_response(accept: str | None) -> bool:
    """Whether `Accept` prefers application/graphql-response+json. Whoever does not name it gets application/json."""
    qualities = dict(_quality(part) for part in (accept or "").split(","))
    wanted = qualities.get(GRAPHQL_RESPONSE, 0.0)
    return wanted > 0 and wanted >= qualities.get(_JSON, 0.0)


def wants_event_stream(accept: str | None) -> bool:
    """Whether `Accept` names an event stream and does not like JSON as much: urql names all of them with every query."""
    qualities = dict(_quality(part) for part in (accept or "").split(","))
    json = max(qualities.get(GRAPHQL_RESPONSE, 0.0), qualities.get(_JSON, 0.0))
    return qualities.get(_EVENTS, 0.0) > json


def _quality(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0
