"""Reading forms: text that is trimmed, ids that are ids, and a key that makes a second press harmless."""

from collections.abc import Iterable
from uuid import UUID, uuid4

from starlette.datastructures import FormData
from starlette.requests import Request

from app.errors import InvalidInput
from app.paging import PageRequest


class Form:
    """A submitted form. Every value is text; a missing one is empty."""

    def __init__(self, data: FormData) -> None:
        self._data = data

    def text(self, name: str) -> str:
        value = self._data.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def lines(self, name: str) -> str:
        """A text of several lines as it was typed; browsers send every line's end as CR LF."""
        value = self._data.get(name, "")
        return value.replace("\r\n", "\n") if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        return [value for value in self._data.getlist(name) if isinstance(value, str) and value]

    def integer(self, name: str) -> int:
        try:
            return int(self.text(name))
        except ValueError:
            raise InvalidInput(fields={name: "Write a whole number."}) from None

    def checked(self, name: str) -> bool:
        return bool(self.text(name))

    def ids(self, name: str) -> list[UUID]:
        return ids(self.texts(name))

    def starting(self, prefix: str) -> dict[str, str]:
        """The filled-in values of all fields named `prefix…`, by the rest of the name."""
        return {name.removeprefix(prefix): self.text(name) for name in self._data if name.startswith(prefix) and self.text(name)}

    @property
    def idempotency_key(self) -> str:
        """Made when the form was shown, so a form that is sent twice acts once."""
        return self.text("idempotency_key") or new_key()


async def read_form(request: Request) -> Form:
    return Form(await request.form())


def new_key() -> str:
    """A fresh idempotency key for a form that is being shown."""
    return uuid4().hex


def ids(texts: Iterable[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise InvalidInput("One of the choices is not one that this page offered; open the page again.") from None


def page_request(request: Request, first: int = 50) -> PageRequest:
    """Which part of a list the address asks for."""
    return PageRequest(first, request.query_params.get("after") or None)


def own_path(path: str, base: str) -> str:
    """A path to go back to, only if it is one of this door's own pages; never another site."""
    inside = path.startswith(f"{base}/") and "//" not in path and "\\" not in path
    return path if inside else f"{base}/"
