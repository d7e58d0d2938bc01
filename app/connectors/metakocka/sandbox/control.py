"""Routes for tests and for people, outside the imitated API and off unless the configuration has `control`."""

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.connectors.sandbox_kit.control_answers import REFUSALS, given_object, json_answer
from app.connectors.sandbox_kit.wishes import ClockWish, GateWish

from .control_stock import STOCK_ROUTES, Stock
from .control_user import USER_ROUTES, MkUser
from .faults import MEANINGS, Fault
from .ledger import NARROWING
from .sandbox import Sandbox
from .seed import broken_records

ROUTES = {
    "GET /sandbox/": "this page",
    "GET /sandbox/ledger": "every write in order, with its effects; ?operation= ?doc_type= ?opr_code= ?effect= ?object= ?mk_id= narrow it",
    "GET /sandbox/requests": "the latest requests: path, status, opr_code, faults met; ?path= must stand in the path",
    "GET /sandbox/counters": "requests by path, status and code, refusals by limit, effects, faults met by kind, most calls at once",
    "DELETE /sandbox/ledger": "forget writes, requests and counts",
    "GET /sandbox/faults": "the faults in force, how many requests each kind has met, and all kinds with their meaning",
    "POST /sandbox/faults": 'add one: {"kind":"drop-answer","path":"*/put_document:sales_order","times":2,"skip":0,"probability":1,'
    '"seed":0,"milliseconds":1000,"after_work":false,"reads":true,"writes":true}; only "kind" is needed, "times":null means all',
    "DELETE /sandbox/faults": "end all faults",
    "GET /sandbox/gate": "whether writes are held, and how many wait now",
    "POST /sandbox/gate": 'hold answers to writes: {"closed":true,"before_work":false,"path":"*"}; {"closed":false} lets them go',
    "GET /sandbox/clock": "the sandbox's time",
    "POST /sandbox/clock": 'set it: {"now":"2026-04-04T17:59:50Z","scale":1,"offset_seconds":0}; scale 0 stops it, {} is real time',
    "GET /sandbox/settings": "the settings that can change",
    "POST /sandbox/settings": 'change some: {"quota_per_minute":60,"single_lists_as_objects":"all"}',
    "GET /sandbox/seed": "how many records there were at the start, and which of them are broken on purpose",
    "POST /sandbox/reset": "back to how the sandbox started, records included",
    **USER_ROUTES,
    **STOCK_ROUTES,
}


class Control:
    """The control routes of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def application(self) -> Starlette:
        routes = [
            Route("/", self.page, methods=["GET"]),
            Route("/ledger", self.ledger, methods=["GET"]),
            Route("/ledger", self.clear_ledger, methods=["DELETE"]),
            Route("/requests", self.requests, methods=["GET"]),
            Route("/counters", self.counters, methods=["GET"]),
            Route("/faults", self.faults, methods=["GET"]),
            Route("/faults", self.add_fault, methods=["POST"]),
            Route("/faults", self.clear_faults, methods=["DELETE"]),
            Route("/gate", self.gate, methods=["GET"]),
            Route("/gate", self.move_gate, methods=["POST"]),
            Route("/clock", self.clock, methods=["GET"]),
            Route("/clock", self.set_clock, methods=["POST"]),
            Route("/settings", self.settings, methods=["GET"]),
            Route("/settings", self.change_settings, methods=["POST"]),
            Route("/seed", self.seeded, methods=["GET"]),
            Route("/reset", self.reset, methods=["POST"]),
        ]
        return Starlette(routes=[*routes, *MkUser(self.sandbox).routes(), *Stock(self.sandbox).routes()], exception_handlers=REFUSALS)

    async def page(self, request: Request) -> Response:
        companies = [
            {"company_id": company_id, "name": one.described.name, "records": {name: len(table) for name, table in one.tables().items()}}
            for company_id, one in self.sandbox.companies.items()
        ]
        return json_answer({"sandbox": "Metakocka", "routes": ROUTES, "faults": MEANINGS, "companies": companies})

    async def ledger(self, request: Request) -> Response:
        wanted = {name: value for name, value in request.query_params.items() if name in NARROWING}
        return json_answer({"writes": self.sandbox.ledger.entries(wanted)})

    async def clear_ledger(self, request: Request) -> Response:
        self.sandbox.ledger.clear()
        return json_answer({"writes": []})

    async def requests(self, request: Request) -> Response:
        part = request.query_params.get("path", "")
        return json_answer({"requests": [one for one in self.sandbox.ledger.requests if part in one.path]})

    async def counters(self, request: Request) -> Response:
        sandbox = self.sandbox
        limits = {company_id: sandbox.limits.used(company_id) for company_id in sandbox.companies}
        counted = {"faults": sandbox.faults.met, "limits": limits, "most_at_once": sandbox.limits.most_at_once}
        return json_answer({**sandbox.ledger.counts, **counted})

    async def faults(self, request: Request) -> Response:
        faults = self.sandbox.faults
        return json_answer({"in_force": [msgspec.to_builtins(one) for one in faults], "met": faults.met, "kinds": MEANINGS})

    async def add_fault(self, request: Request) -> Response:
        self.sandbox.faults.add(msgspec.convert(await given_object(request), type=Fault))
        return await self.faults(request)

    async def clear_faults(self, request: Request) -> Response:
        self.sandbox.faults.clear()
        return await self.faults(request)

    async def gate(self, request: Request) -> Response:
        return json_answer(self.sandbox.gate.status())

    async def move_gate(self, request: Request) -> Response:
        wish = msgspec.convert(await given_object(request), type=GateWish)
        if wish.closed:
            self.sandbox.gate.close(before_work=wish.before_work, path=wish.path)
        else:
            self.sandbox.gate.open()
        return await self.gate(request)

    async def clock(self, request: Request) -> Response:
        return json_answer({"now": self.sandbox.clock.now().isoformat(), "scale": self.sandbox.clock.scale})

    async def set_clock(self, request: Request) -> Response:
        wish = msgspec.convert(await given_object(request), type=ClockWish)
        self.sandbox.clock.set(now=wish.now, scale=wish.scale, offset_seconds=wish.offset_seconds)
        return await self.clock(request)

    async def settings(self, request: Request) -> Response:
        return json_answer(self.sandbox.settings())

    async def change_settings(self, request: Request) -> Response:
        self.sandbox.change_settings(await given_object(request))
        return await self.settings(request)

    async def seeded(self, request: Request) -> Response:
        config = self.sandbox.config
        return json_answer({"seed": config.seed, "sizes": msgspec.to_builtins(config.sizes), "broken": broken_records(config)})

    async def reset(self, request: Request) -> Response:
        self.sandbox.reset()
        return await self.page(request)
