"""Routes for tests and for people, outside the imitated API and off unless the configuration has `control`."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.connectors.sandbox_kit.control import SharedControl, meanings_of_shared_routes
from app.connectors.sandbox_kit.control_answers import given_object, json_answer

from .control_records import StaffUser
from .faults import MEANINGS, Fault
from .sandbox import Sandbox
from .wishes import SeedWish

ROUTES = {
    **meanings_of_shared_routes("/_control"),
    "GET /_control/ledger": "every write in order, with its effect; ?object= ?uuid= ?effect= ?method= ?api_key= narrow it",
    "GET /_control/requests": "the latest requests: path, query, status, faults met; ?path= must stand in the path",
    "GET /_control/counters": "requests by method and path, by status, and what is used up of the limits by key",
    "GET /_control/faults": "the faults in force, and all kinds with their meaning",
    "POST /_control/faults": 'add one: {"kind":"503","method":"POST","path":"*/job/*","times":2,"skip":0,"probability":1,"seed":0,'
    '"milliseconds":1000,"after_work":false,"records":1}; only "kind" is needed, "times":null means all',
    "POST /_control/settings": 'change some: {"page_size":2,"limits_factor":null}',
    "GET /_control/records/{object}": "records of a type, deleted ones too; ?field=text narrows, ?api_key= chooses the account",
    "POST /_control/records/{object}": "make a record as staff would, with no check of its values",
    "GET /_control/records/{object}/{uuid}": "a record, deleted or not",
    "POST /_control/records/{object}/{uuid}": 'edit a record as staff would, with no check: {"status":"Unsuccessful"}',
    "DELETE /_control/records/{object}/{uuid}": "delete a record as staff would",
    "POST /_control/jobs/{uuid}/lines": 'add a line: {"name":"Extra work","quantity":"2","price":"110","tax_inclusive":true}',
    "DELETE /_control/jobs/{uuid}/lines/{uuid}": "remove a line",
    "GET /_control/seed": "how many records each seed made, and which of them are broken on purpose",
    "POST /_control/seed": 'add records: {"kind":"demo"} or {"kind":"companies","count":20000} or {"kind":"jobs","count":500}',
}

NARROWING = ("object", "uuid", "effect", "method", "api_key")


class Control(SharedControl[Sandbox]):
    """The control routes of one sandbox."""

    fault = Fault
    meanings = MEANINGS

    def own_routes(self) -> Sequence[BaseRoute]:
        return [Route("/seed", self.seed, methods=["POST"]), *StaffUser(self.sandbox).routes()]

    async def page(self, request: Request) -> Response:
        accounts = [
            {"name": one.config.name, "api_keys": one.config.api_keys, "records": {name: len(table) for name, table in one.tables.items()}}
            for one in self.sandbox.store.accounts
        ]
        return json_answer({"sandbox": "ServiceM8", "routes": ROUTES, "faults": MEANINGS, "accounts": accounts})

    async def writes(self, request: Request) -> Response:
        wanted = {name: value for name, value in request.query_params.items() if name in NARROWING}
        return json_answer({"writes": self.sandbox.ledger.entries(**wanted)})

    async def counters(self, request: Request) -> Response:
        sandbox, now = self.sandbox, self.sandbox.clock.now()
        limits = {key: sandbox.limits.used(key, now) for key in sandbox.store.by_key}
        return json_answer({"by_path": sandbox.ledger.by_path, "by_status": sandbox.ledger.by_status, "limits": limits})

    async def clock(self, request: Request) -> Response:
        local = {one.config.name: one.now_text() for one in self.sandbox.store.accounts}
        return json_answer({"now": self.sandbox.clock.now().isoformat(), "scale": self.sandbox.clock.scale, "local": local})

    async def seed(self, request: Request) -> Response:
        wish = msgspec.convert(await given_object(request), type=SeedWish)
        return json_answer(self.sandbox.seed(wish.kind, wish.count))

    async def seeded(self, request: Request) -> Response:
        return json_answer({"seeded": self.sandbox.seeded})
