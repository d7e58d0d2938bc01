"""Routes for tests and for people, outside the imitated API and off unless the configuration has `control`."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.connectors.sandbox_kit.control import SharedControl, meanings_of_shared_routes
from app.connectors.sandbox_kit.control_answers import json_answer

from .control_stock import STOCK_ROUTES, Stock
from .control_user import USER_ROUTES, MkUser
from .faults import MEANINGS, Fault
from .ledger import NARROWING
from .sandbox import Sandbox
from .seed import broken_records

ROUTES = {
    **meanings_of_shared_routes("/sandbox"),
    "GET /sandbox/ledger": "every write in order, with its effects; ?operation= ?doc_type= ?opr_code= ?effect= ?object= ?mk_id= narrow it",
    "GET /sandbox/requests": "the latest requests: path, status, opr_code, faults met; ?path= must stand in the path",
    "GET /sandbox/counters": "requests by path, status and code, refusals by limit, effects, faults met by kind, most calls at once",
    "GET /sandbox/faults": "the faults in force, how many requests each kind has met, and all kinds with their meaning",
    "POST /sandbox/faults": 'add one: {"kind":"drop-answer","path":"*/put_document:sales_order","times":2,"skip":0,"probability":1,'
    '"seed":0,"milliseconds":1000,"after_work":false,"reads":true,"writes":true}; only "kind" is needed, "times":null means all',
    "POST /sandbox/settings": 'change some: {"quota_per_minute":60,"single_lists_as_objects":"all"}',
    "GET /sandbox/seed": "how many records there were at the start, and which of them are broken on purpose",
    **USER_ROUTES,
    **STOCK_ROUTES,
}


class Control(SharedControl[Sandbox]):
    """The control routes of one sandbox."""

    fault = Fault
    meanings = MEANINGS

    def own_routes(self) -> Sequence[BaseRoute]:
        return [*MkUser(self.sandbox).routes(), *Stock(self.sandbox).routes()]

    async def page(self, request: Request) -> Response:
        companies = [
            {"company_id": company_id, "name": one.described.name, "records": {name: len(table) for name, table in one.tables().items()}}
            for company_id, one in self.sandbox.companies.items()
        ]
        return json_answer({"sandbox": "Metakocka", "routes": ROUTES, "faults": MEANINGS, "companies": companies})

    async def writes(self, request: Request) -> Response:
        wanted = {name: value for name, value in request.query_params.items() if name in NARROWING}
        return json_answer({"writes": self.sandbox.ledger.entries(wanted)})

    async def counters(self, request: Request) -> Response:
        sandbox = self.sandbox
        limits = {company_id: sandbox.limits.used(company_id) for company_id in sandbox.companies}
        counted = {"faults": sandbox.faults.met, "limits": limits, "most_at_once": sandbox.limits.most_at_once}
        return json_answer({**sandbox.ledger.counts, **counted})

    async def seeded(self, request: Request) -> Response:
        config = self.sandbox.config
        return json_answer({"seed": config.seed, "sizes": msgspec.to_builtins(config.sizes), "broken": broken_records(config)})
