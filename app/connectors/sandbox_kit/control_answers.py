"""JSON in and out of the control routes."""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response


class ControlError(Exception):
    """A control request that cannot be met; the sentence says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def json_answer(content: object, status: int = 200) -> Response:
    """`content` as indented JSON, since people read it too."""
    return Response(orjson.dumps(content, option=orjson.OPT_INDENT_2), status, media_type="application/json")


async def given_object(request: Request) -> dict[str, Any]:
    """The body's JSON object; an empty body is an empty object."""
    body = await request.body()
    content = orjson.loads(body) if body.strip() else {}
    if not isinstance(content, dict):
        raise ControlError(400, "The body must be a JSON object.")
    return content


async def refused(request: Request, problem: Exception) -> Response:
    """Answers for what control routes raise: a wrong value is the caller's to mend."""
    return json_answer({"error": str(problem)}, problem.status if isinstance(problem, ControlError) else 400)


REFUSALS: Mapping[Any, Any] = {
    ControlError: refused,
    msgspec.ValidationError: refused,
    ValueError: refused,
    ArithmeticError: refused,
}
