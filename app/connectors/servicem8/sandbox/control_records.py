"""The staff user: reads, makes, edits and deletes any record without the checks of the API, as in the provider's own screens.

Every edit moves the record's edit time, stamps its status and reckons totals, as the server does for anybody.
"""

from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.connectors.sandbox_kit.control_answers import ControlError, given_object, json_answer

from . import changes
from .amounts import four_places
from .sandbox import Sandbox
from .schema import JOB_MATERIAL, OBJECT_TYPES
from .store import Account
from .table import Record, Table, Values


class StaffUser:
    """The routes under `/_control/records` and `/_control/jobs`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        return [
            Route("/records/{object}", self.records, methods=["GET"]),
            Route("/records/{object}", self.create, methods=["POST"]),
            Route("/records/{object}/{uuid}", self.read, methods=["GET"]),
            Route("/records/{object}/{uuid}", self.edit, methods=["POST"]),
            Route("/records/{object}/{uuid}", self.delete, methods=["DELETE"]),
            Route("/jobs/{job_uuid}/lines", self.add_line, methods=["POST"]),
            Route("/jobs/{job_uuid}/lines/{uuid}", self.remove_line, methods=["DELETE"]),
        ]

    async def records(self, request: Request) -> Response:
        """All records of a type, deleted ones too; other query parameters are texts that fields must have."""
        table = self._account(request).tables[_type_name(request)]
        wanted = {name: value for name, value in request.query_params.items() if name != "api_key"}
        return json_answer([one.values for one in table if all(str(one.values.get(name)) == value for name, value in wanted.items())])

    async def create(self, request: Request) -> Response:
        account, table = self._account(request), _type_name(request)
        given = await given_object(request)
        if self.sandbox.store.find(table, str(given.get("uuid", ""))):
            raise ControlError(400, "A record with this uuid exists already.")
        return json_answer(changes.create(account, account.tables[table], given).values)

    async def read(self, request: Request) -> Response:
        return json_answer(self._existing(request)[2].values)

    async def edit(self, request: Request) -> Response:
        account, table, record = self._existing(request)
        given = await given_object(request)
        if "uuid" in given:
            raise ControlError(400, "A record keeps its uuid.")
        changes.update(account, table, record, given)
        return json_answer(record.values)

    async def delete(self, request: Request) -> Response:
        account, table, record = self._existing(request)
        changes.update(account, table, record, {"active": 0})
        return json_answer(record.values)

    async def add_line(self, request: Request) -> Response:
        """Add a line to a job; `price` is the unit price as shown, with tax when `tax_inclusive` is true."""
        job_uuid = request.path_params["job_uuid"]
        found = self.sandbox.store.find("job", job_uuid)
        if found is None:
            raise ControlError(404, "No such job.")
        account, table = found[0], found[0].tables["jobmaterial"]
        record = changes.create(account, table, _line_values(account, job_uuid, await given_object(request)))
        return json_answer(record.values)

    async def remove_line(self, request: Request) -> Response:
        found = self.sandbox.store.find("jobmaterial", request.path_params["uuid"])
        if found is None or found[1].values["job_uuid"] != request.path_params["job_uuid"]:
            raise ControlError(404, "No such line on this job.")
        changes.update(found[0], found[0].tables["jobmaterial"], found[1], {"active": 0})
        return json_answer(found[1].values)

    def _account(self, request: Request) -> Account:
        """The account of `?api_key=…`, else the first."""
        key = request.query_params.get("api_key")
        account = self.sandbox.store.by_key.get(key) if key else self.sandbox.store.accounts[0]
        if account is None:
            raise ControlError(404, "No account has this API key.")
        return account

    def _existing(self, request: Request) -> tuple[Account, Table, Record]:
        name = _type_name(request)
        found = self.sandbox.store.find(name, request.path_params["uuid"].lower())
        if found is None:
            raise ControlError(404, "No such record.")
        return found[0], found[0].tables[name], found[1]


def _type_name(request: Request) -> str:
    name: str = request.path_params["object"].lower()
    if name not in OBJECT_TYPES:
        raise ControlError(404, f"There is no object type {name}.")
    return name


def _line_values(account: Account, job_uuid: str, given: dict[str, Any]) -> Values:
    shown, with_tax = Decimal(str(given.pop("price", 0))), bool(given.pop("tax_inclusive", False))
    rate_uuid = given.get("tax_rate_uuid") or account.default_tax_rate()
    if unknown := sorted(set(given) - set(JOB_MATERIAL.by_name)):
        raise ControlError(400, f"A line has no field {', '.join(unknown)}.")
    return {
        "name": "Extra work",
        "sort_order": str(len(account.tables["jobmaterial"].referring("job_uuid", job_uuid)) + 1),
        **given,
        "job_uuid": job_uuid,
        "quantity": four_places(Decimal(str(given.get("quantity", 1)))),
        "price": four_places(shown / (1 + account.rate_of(rate_uuid)) if with_tax else shown),
        "displayed_amount": four_places(shown),
        "displayed_amount_is_tax_inclusive": "1" if with_tax else "0",
        "tax_rate_uuid": rate_uuid,
    }
