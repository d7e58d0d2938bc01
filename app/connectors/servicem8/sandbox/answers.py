"""The provider's answers and the shapes of its refusals, word for word where a live answer was published."""

import orjson

from app.connectors.sandbox_kit.delivery import Answer, Refusal

HTML = "text/html; charset=UTF-8"
PLAIN = "text/plain; charset=UTF-8"
LIMIT_TEXT = "Number of allowed API requests per {window} exceeded"


def error(status: int, message: str, code: int | None = None) -> Answer:
    """The provider's JSON error; its `errorCode` is the HTTP status unless another is given."""
    return Answer(status, orjson.dumps({"errorCode": status if code is None else code, "message": message}))


def done(uuid: str = "") -> Answer:
    """A write that worked; a create names the new record in a header and never in the body."""
    answer = Answer(200, orjson.dumps({"errorCode": 0, "message": "OK"}))
    return answer.with_headers(x_record_uuid=uuid) if uuid else answer


def invalid(message: str) -> Refusal:
    """A value that the server does not take."""
    return Refusal(error(400, message))


def invalid_filter(message: str) -> Refusal:
    """400s came with `errorCode` 400 and with 1000; which of them when is not known, so filters get the other."""
    return Refusal(error(400, message, code=1000))


def unknown_object(name: str) -> Refusal:
    return Refusal(error(400, f"{name} is not an authorised object type"))


def not_found() -> Refusal:
    return Refusal(error(404, "Resource not found"))


def already_exists(uuid: str) -> Refusal:
    return Refusal(error(409, f"A record with UUID {uuid} already exists"))


def method_not_allowed(method: str) -> Refusal:
    return Refusal(error(405, f"Method {method} is not allowed"))


def no_credentials() -> Refusal:
    answer = Answer(401, b"Authorization Required", HTML)
    return Refusal(answer.with_headers(www_authenticate='Basic realm="ServiceM8 API"'))


def wrong_key() -> Refusal:
    return Refusal(error(401, "Authorization Required"))


def wrong_password() -> Refusal:
    return Refusal(Answer(401, b"Invalid username or password", HTML))


def over_limit(window: str, *, as_json: bool) -> Answer:
    """`window` is "minute" or "day". The text comes bare, or as JSON in what the OpenAPI description shows."""
    text = LIMIT_TEXT.format(window=window)
    return error(429, text) if as_json else Answer(429, text.encode(), PLAIN)
