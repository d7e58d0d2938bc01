"""Routes for tests and for people, outside the imitated API and off unless the configuration has `control`."""

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.connectors.sandbox_kit.control_answers import REFUSALS, given_object, json_answer
from app.connectors.sandbox_kit.wishes import ClockWish, GateWish

from .control_records import StaffUser
from .faults import MEANINGS, Fault
from .sandbox import Sandbox
from .wishes import SeedWish

ROUTES = {
    "GET /_control/": "this page",
    "GET /_control/ledger": "every write in order, with its effect; ?object= ?uuid= ?effect= ?method= ?api_key= narrow it",
    "GET /_control/requests": "the latest requests: path, query, status, faults met; ?path= must stand in the path",
    "GET /_control/counters": "requests by method and path, by status, and what is used up of the limits by key",
    "DELETE /_control/ledger": "forget writes, requests and counts",
    "GET /_control/faults": "the faults in force, and all kinds with their meaning",
    "POST /_control/faults": 'add one: {"kind":"503","method":"POST","path":"*/job/*","times":2,"skip":0,"probability":1,"seed":0,'
    '"milliseconds":1000,"after_work":false,"records":1}; only "kind" is needed, "times":null means all',
    "DELETE /_control/faults": "end all faults",
    "GET /_control/gate": "whether writes are held, and how many wait now",
    "POST /_control/gate": 'hold answers to writes: {"closed":true,"before_work":false,"path":"*"}; {"closed":false} lets them go',
    "GET /_control/clock": "the sandbox's time",
    "POST /_control/clock": 'set it: {"now":"2026-04-04T17:59:50Z","scale":1,"offset_seconds":0}; scale 0 stops it, {} is real time',
    "GET /_control/settings": "the settings that can change",
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
    "POST /_control/reset": "back to how the sandbox started, records included",
}

NARROWING = ("object", "uuid", "effect", "method", "api_key")


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
            Route("/seed", self.seed, methods=["POST"]),
            Route("/reset", self.reset, methods=["POST"]),
        ]
        return Starlette(routes=routes + StaffUser(self.sandbox).routes(), exception_handlers=REFUSALS)

    async def page(self, request: Request) -> Response:
        accounts = [
            {"name": one.config.name, "api_keys": one.config.api_keys, "records": {name: len(table) for name, table in one.tables.items()}}
            for one in self.sandbox.store.accounts
        ]
        return json_answer({"sandbox": "ServiceM8", "routes": ROUTES, "faults": MEANINGS, "accounts": accounts})

    async def ledger(self, request: Request) -> Response:
        wanted = {name: value for name, value in request.query_params.items() if name in NARROWING}
        return json_answer({"writes": self.sandbox.ledger.entries(**wanted)})

    async def clear_ledger(self, request: Request) -> Response:
        self.sandbox.ledger.clear()
        return json_answer({"writes": []})

    async def requests(self, request: Request) -> Response:
        part = request.query_params.get("path", "")
        return json_answer({"requests": [one for one in self.sandbox.ledger.requests if part in one.path]})

    async def counters(self, request: Request) -> Response:
        sandbox, now = self.sandbox, self.sandbox.clock.now()
        limits = {key: sandbox.limits.used(key, now) for key in sandbox.store.by_key}
        return json_answer({"by_path": sandbox.ledger.by_path, "by_status": sandbox.ledger.by_status, "limits": limits})

    async def faults(self, request: Request) -> Response:
        return json_answer({"in_force": [msgspec.to_builtins(one) for one in self.sandbox.faults], "kinds": MEANINGS})

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
        local = {one.config.name: one.now_text() for one in self.sandbox.store.accounts}
        return json_answer({"now": self.sandbox.clock.now().isoformat(), "scale": self.sandbox.clock.scale, "local": local})

    async def set_clock(self, request: Request) -> Response:
        wish = msgspec.convert(await given_object(request), type=ClockWish)
        self.sandbox.clock.set(now=wish.now, scale=wish.scale, offset_seconds=wish.offset_seconds)
        return await self.clock(request)

    async def settings(self, request: Request) -> Response:
        return json_answer(self.sandbox.settings())

    async def change_settings(self, request: Request) -> Response:
        self.sandbox.change_settings(await given_object(request))
        return await self.settings(request)

    async def seed(self, request: Request) -> Response:
        wish = msgspec.convert(await given_object(request), type=SeedWish)
        return json_answer(self.sandbox.seed(wish.kind, wish.count))

    async def seeded(self, request: Request) -> Response:
        return json_answer({"seeded": self.sandbox.seeded})

    async def reset(self, request: Request) -> Response:
        self.sandbox.reset()
        return await self.page(request)
