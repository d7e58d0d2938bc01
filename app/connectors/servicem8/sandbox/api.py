"""The provider's side of the sandbox: every request that is not for the control routes.

A request passes in this order: key, faults that refuse, limits, the work, the gate, faults that spoil the answer.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from app.connectors.sandbox_kit.delivery import Answer, Refusal, hang_up, send_half, send_whole

from .answers import over_limit, unknown_object
from .authentication import authenticate
from .bodies import given_values
from .damage import damaged
from .faults import DAMAGES, Fault, FaultKind
from .ledger import Seen, Write
from .objects import read, target_of, write
from .sandbox import Sandbox
from .store import Account

_PATH = re.compile(r"/api_1\.0/(?P<name>[^/]+?)(?:/(?P<uuid>[^/]+))?\.json")


@dataclass
class Exchange:
    """One request on its way through, with what is known of it so far."""

    request: Request
    method: str
    path: str
    name: str
    uuid: str | None
    began: float = field(default_factory=time.perf_counter)
    faults: list[Fault] = field(default_factory=list)
    key: str = ""
    account: Account | None = None
    write: Write | None = None

    def has(self, kind: FaultKind) -> bool:
        return any(fault.kind is kind for fault in self.faults)


class Api:
    """An ASGI application that answers as ServiceM8 does."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = _exchange(Request(scope, receive))
        try:
            answer = await self._answer(exchange)
        except Refusal as refusal:
            answer = refusal.answer
        except ClientDisconnect:
            return
        answer = self._spoiled(exchange, answer)
        self._remember(exchange, answer)
        await self._deliver(exchange, answer, send)

    async def _answer(self, exchange: Exchange) -> Answer:
        await exchange.request.body()
        exchange.key, exchange.account = authenticate(self.sandbox.store, exchange.request.headers)
        if exchange.method != "GET":
            exchange.write = self._begin_write(exchange, exchange.account)
        exchange.faults = self.sandbox.faults.draw(lambda fault: fault.fits(exchange.method, exchange.path))
        await self._wait(exchange, after_work=False)
        self._refuse_by_fault(exchange, after_work=False)
        if exchange.has(FaultKind.DROP_REQUEST):
            return Answer(0, b"")
        if exchange.write is not None:
            await self.sandbox.gate.let_write_pass(exchange.path, before_work=True)
        self._refuse_by_limit(exchange.key)
        answer = await self._work(exchange, exchange.account)
        if exchange.write is not None:
            await self.sandbox.gate.let_write_pass(exchange.path, before_work=False)
        await self._wait(exchange, after_work=True)
        self._refuse_by_fault(exchange, after_work=True)
        return answer

    def _begin_write(self, exchange: Exchange, account: Account) -> Write:
        entry = Write(
            number=len(self.sandbox.ledger.writes) + 1,
            at=self.sandbox.clock.now().isoformat(timespec="milliseconds"),
            account=account.config.name,
            api_key=exchange.key,
            method=exchange.method,
            path=exchange.path,
            object=exchange.name.lower(),
            uuid=(exchange.uuid or "").lower(),
        )
        self.sandbox.ledger.writes.append(entry)
        return entry

    async def _wait(self, exchange: Exchange, *, after_work: bool) -> None:
        slow = [fault.milliseconds for fault in exchange.faults if fault.kind is FaultKind.SLOW and fault.after_work is after_work]
        if slow:
            await asyncio.sleep(sum(slow) / 1000)

    def _refuse_by_fault(self, exchange: Exchange, *, after_work: bool) -> None:
        for fault in exchange.faults:
            refusal = fault.refusal(limits_as_json=self.sandbox.config.json_limit_refusals)
            if refusal is not None and fault.after_work is after_work:
                raise Refusal(refusal)

    def _refuse_by_limit(self, key: str) -> None:
        config = self.sandbox.config
        if window := self.sandbox.limits.exceeded(key, self.sandbox.clock.now(), config.limits_factor):
            raise Refusal(over_limit(window, as_json=config.json_limit_refusals))

    async def _work(self, exchange: Exchange, account: Account) -> Answer:
        if not exchange.name:
            raise unknown_object(exchange.path.strip("/") or "/")
        target = target_of(account, exchange.name, exchange.uuid)
        if exchange.write is None:
            return read(self.sandbox.config, target, exchange.request.query_params)
        given = await given_values(exchange.request)
        exchange.write.object, exchange.write.fields = target.table.type.name, tuple(given)
        exchange.write.uuid = exchange.write.uuid or str(given.get("uuid", ""))
        written = write(self.sandbox.config, account, target, exchange.method, given)
        exchange.write.uuid, exchange.write.effect, exchange.write.status = written.uuid, written.effect, written.answer.status
        return written.answer

    def _spoiled(self, exchange: Exchange, answer: Answer) -> Answer:
        for fault in exchange.faults:
            if fault.kind in DAMAGES:
                answer = damaged(answer, fault, exchange.request.query_params.get("cursor"))
        return answer

    def _remember(self, exchange: Exchange, answer: Answer) -> None:
        if exchange.write is not None:
            exchange.write.status = answer.status
        seen = Seen(
            method=exchange.method,
            path=exchange.path,
            query=exchange.request.url.query,
            account=exchange.account.config.name if exchange.account else "",
            status=answer.status,
            milliseconds=round((time.perf_counter() - exchange.began) * 1000, 3),
            faults=tuple(fault.kind.value for fault in exchange.faults),
        )
        path = exchange.path if exchange.uuid is None else f"/api_1.0/{exchange.name}/{{uuid}}.json"
        self.sandbox.ledger.saw(seen, f"{exchange.method} {path}")

    async def _deliver(self, exchange: Exchange, answer: Answer, send: Send) -> None:
        scope, receive = exchange.request.scope, exchange.request.receive
        if exchange.has(FaultKind.DROP_REQUEST) or exchange.has(FaultKind.DROP_ANSWER):
            return await hang_up(scope, receive)
        if exchange.has(FaultKind.CUT):
            return await send_half(scope, receive, send, answer)
        if exchange.write is not None:
            exchange.write.answered = not await exchange.request.is_disconnected()
        return await send_whole(send, answer)


def _exchange(request: Request) -> Exchange:
    path = request.url.path
    match = _PATH.fullmatch(path)
    return Exchange(request, request.method, path, match["name"] if match else "", match["uuid"] if match else None)
