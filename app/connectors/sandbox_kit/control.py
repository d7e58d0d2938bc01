"""The control routes that every sandbox has, for tests and for people, outside the imitated API."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.connectors.sandbox_kit.clock import Clock
from app.connectors.sandbox_kit.control_answers import REFUSALS, given_object, json_answer
from app.connectors.sandbox_kit.faults import Fault, Faults
from app.connectors.sandbox_kit.gate import Gate
from app.connectors.sandbox_kit.wishes import ClockWish, GateWish


class SeenBySandbox(Protocol):
    """What a sandbox's ledger shows of all requests."""

    @property
    def requests(self) -> Iterable[Any]: ...

    def clear(self) -> None: ...


class Controlled(Protocol):
    """What a sandbox lets itself be turned by."""

    clock: Clock
    gate: Gate

    @property
    def faults(self) -> Faults[Any]: ...

    @property
    def ledger(self) -> SeenBySandbox: ...

    def settings(self) -> dict[str, object]: ...

    def change_settings(self, changes: dict[str, object]) -> None: ...

    def reset(self) -> None: ...


S = TypeVar("S", bound=Controlled)


def meanings_of_shared_routes(prefix: str) -> dict[str, str]:
    """What the shared routes do whose words are the same for every sandbox."""
    return {
        f"GET {prefix}/": "this page",
        f"DELETE {prefix}/ledger": "forget writes, requests and counts",
        f"DELETE {prefix}/faults": "end all faults",
        f"GET {prefix}/gate": "whether writes are held, and how many wait now",
        f"POST {prefix}/gate": 'hold answers to writes: {"closed":true,"before_work":false,"path":"*"}; {"closed":false} lets them go',
        f"GET {prefix}/clock": "the sandbox's time",
        f"POST {prefix}/clock": 'set it: {"now":"2026-04-04T17:59:50Z","scale":1,"offset_seconds":0}; scale 0 stops it, {} is real time',
        f"GET {prefix}/settings": "the settings that can change",
        f"POST {prefix}/reset": "back to how the sandbox started, records included",
    }


class SharedControl(ABC, Generic[S]):
    """The control routes of one sandbox. What it shows of its own is left to each."""

    fault: type[Fault]
    meanings: Mapping[str, str]
    """By kind of fault, what it does."""

    def __init__(self, sandbox: S) -> None:
        self.sandbox = sandbox

    def application(self) -> Starlette:
        routes = [
            Route("/", self.page, methods=["GET"]),
            Route("/ledger", self.writes, methods=["GET"]),
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
        return Starlette(routes=[*routes, *self.own_routes()], exception_handlers=REFUSALS)

    @abstractmethod
    def own_routes(self) -> Sequence[BaseRoute]:
        """Routes to the records of this provider."""

    @abstractmethod
    async def page(self, request: Request) -> Response:
        """What there is to see and to turn."""

    @abstractmethod
    async def writes(self, request: Request) -> Response:
        """The writes so far."""

    @abstractmethod
    async def counters(self, request: Request) -> Response:
        """How much of what there was."""

    @abstractmethod
    async def seeded(self, request: Request) -> Response:
        """What the records at the start were."""

    async def clear_ledger(self, request: Request) -> Response:
        self.sandbox.ledger.clear()
        return json_answer({"writes": []})

    async def requests(self, request: Request) -> Response:
        part = request.query_params.get("path", "")
        return json_answer({"requests": [one for one in self.sandbox.ledger.requests if part in one.path]})

    async def faults(self, request: Request) -> Response:
        faults = self.sandbox.faults
        return json_answer({"in_force": [msgspec.to_builtins(one) for one in faults], "met": faults.met, "kinds": self.meanings})

    async def add_fault(self, request: Request) -> Response:
        self.sandbox.faults.add(msgspec.convert(await given_object(request), type=self.fault))
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

    async def reset(self, request: Request) -> Response:
        self.sandbox.reset()
        return await self.page(request)
