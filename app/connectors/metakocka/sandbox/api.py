"""The provider's side of the sandbox: every request that is not for the control routes.

A request passes in this order: path, key, limits, the lane of searches, faults that refuse, the work, the gate, faults that
spoil the answer.
"""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from app.connectors.sandbox_kit.delivery import Answer, Refusal, hang_up, send_half, send_whole

from .answers import INTERNAL, NOT_ALLOWED, NOT_FOUND, QUOTA, Failed
from .authentication import authenticate
from .company import Company
from .faults import Fault, FaultKind
from .ledger import Seen, Write
from .operations import OPERATIONS, SEARCH, Operation
from .partners import PartnerPage
from .replies import failure, opr_code_in, success
from .sandbox import Sandbox
from .table import id_of
from .wire import Values, is_true, text_of


@dataclass
class Exchange:
    """One request on its way through, with what is known of it so far."""

    request: Request
    path: str
    began: float = field(default_factory=time.perf_counter)
    given: Values = field(default_factory=dict)
    company_id: str = ""
    faults: list[Fault] = field(default_factory=list)
    write: Write | None = None
    refused: str = ""

    @property
    def milliseconds(self) -> float:
        return (time.perf_counter() - self.began) * 1000

    @property
    def doc_type(self) -> str:
        return text_of(self.given.get("doc_type"))

    def has(self, kind: FaultKind) -> bool:
        return any(fault.kind is kind for fault in self.faults)


class Api:
    """An ASGI application that answers as Metakocka does."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        exchange = Exchange(request, request.url.path)
        try:
            answer = await self._answer(exchange)
        except Refusal as refusal:
            answer = refusal.answer
        except Failed as failed:
            answer = failure(failed, exchange.milliseconds)
        except ClientDisconnect:
            return
        self._remember(exchange, answer)
        await self._deliver(exchange, answer, send)

    async def _answer(self, exchange: Exchange) -> Answer:
        body = await exchange.request.body()
        operation = OPERATIONS.get(exchange.path)
        if operation is None:
            return NOT_FOUND
        if exchange.request.method != "POST":
            return NOT_ALLOWED
        exchange.given = _object(body)
        company = authenticate(self.sandbox.companies, exchange.given, _address(exchange.request))
        exchange.company_id = company.described.company_id
        if operation.is_write:
            exchange.write = self._begin_write(exchange)
        exchange.faults = self.sandbox.faults.draw(lambda fault: fault.meets(exchange.path, exchange.doc_type, is_write=operation.is_write))
        self._refuse_by_limit(exchange)
        self.sandbox.limits.enter(exchange.company_id)
        try:
            return await self._pass_through(exchange, operation, company)
        finally:
            self.sandbox.limits.leave(exchange.company_id)

    async def _pass_through(self, exchange: Exchange, operation: Operation, company: Company) -> Answer:
        async with AsyncExitStack() as lane:
            if exchange.path == SEARCH:
                group = exchange.request.headers.get("searchgroup", "")
                await lane.enter_async_context(self.sandbox.search_lane(exchange.company_id, group))
                await self.sandbox.wait(self.sandbox.config.search_seconds)
            await self._wait(exchange, after_work=False)
            self._refuse_by_fault(exchange, after_work=False)
            if exchange.has(FaultKind.DROP_REQUEST):
                return Answer(0, b"")
            if operation.is_write:
                await self.sandbox.gate.let_write_pass(exchange.path, before_work=True)
            reply = self._work(exchange, operation, company)
            if operation.is_write:
                await self._wait_for_invoice(exchange)
                await self.sandbox.gate.let_write_pass(exchange.path, before_work=False)
            await self._wait(exchange, after_work=True)
            self._refuse_by_fault(exchange, after_work=True)
            return self._spoiled(exchange, success(self.sandbox.config, reply, exchange.milliseconds, with_code=operation.with_code))

    def _begin_write(self, exchange: Exchange) -> Write:
        ledger = self.sandbox.ledger
        entry = Write(
            number=len(ledger.writes) + 1,
            at=self.sandbox.clock.now().isoformat(timespec="milliseconds"),
            company_id=exchange.company_id,
            operation=exchange.path.rpartition("/")[2],
            doc_type=exchange.doc_type,
            sent={name: value for name, value in exchange.given.items() if name != "secret_key"},
        )
        ledger.writes.append(entry)
        return entry

    def _refuse_by_limit(self, exchange: Exchange) -> None:
        if name := self.sandbox.limits.exceeded(exchange.company_id, self.sandbox.config):
            exchange.refused = name
            raise Failed(QUOTA, "Quota exceeded.")

    async def _wait(self, exchange: Exchange, *, after_work: bool) -> None:
        slow = [fault.milliseconds for fault in exchange.faults if fault.kind is FaultKind.SLOW and fault.after_work is after_work]
        await self.sandbox.wait(sum(slow) / 1000)

    async def _wait_for_invoice(self, exchange: Exchange) -> None:
        if is_true(exchange.given.get("create_invoice")) and exchange.doc_type == "sales_order":
            await self.sandbox.wait(self.sandbox.config.create_invoice_seconds)

    def _refuse_by_fault(self, exchange: Exchange, *, after_work: bool) -> None:
        for fault in exchange.faults:
            if fault.after_work is not after_work:
                continue
            if page := fault.page():
                raise Refusal(page)
            if failed := fault.failure():
                raise failed

    def _work(self, exchange: Exchange, operation: Operation, company: Company) -> Values | PartnerPage:
        if exchange.write is None:
            return self._read(exchange, operation, company)
        company.journal.begin()
        try:
            reply = operation.work(company, exchange.given)
        except Failed:
            company.journal.roll_back()
            raise
        changes = company.journal.end()
        self.sandbox.ledger.add_effects(exchange.write, changes)
        self.sandbox.webhooks.tell(company, changes)
        return reply

    def _read(self, exchange: Exchange, operation: Operation, company: Company) -> Values | PartnerPage:
        given = exchange.given
        offset = id_of(given.get("offset", 0)) or 0
        if exchange.has(FaultKind.DUPLICATE_ROW) and offset:
            given = {**given, "offset": str(offset - 1)}
        if not exchange.has(FaultKind.STALE_READ):
            return operation.work(company, given)
        reply: Values | PartnerPage = company.journal.as_before(lambda: operation.work(company, given))
        return reply

    def _spoiled(self, exchange: Exchange, answer: Answer) -> Answer:
        if exchange.has(FaultKind.MALFORMED_JSON):
            return replace(answer, body=answer.body[: len(answer.body) // 2] + b"oops")
        return answer

    def _remember(self, exchange: Exchange, answer: Answer) -> None:
        code = opr_code_in(answer)
        if exchange.write is not None:
            exchange.write.status, exchange.write.opr_code = answer.status, code
        seen = Seen(
            method=exchange.request.method,
            path=exchange.path,
            doc_type=exchange.doc_type,
            company_id=exchange.company_id,
            status=answer.status,
            opr_code=code,
            milliseconds=round(exchange.milliseconds, 3),
            faults=tuple(fault.kind.value for fault in exchange.faults),
            refused=exchange.refused,
        )
        self.sandbox.ledger.saw(seen)

    async def _deliver(self, exchange: Exchange, answer: Answer, send: Send) -> None:
        scope, receive = exchange.request.scope, exchange.request.receive
        if exchange.has(FaultKind.DROP_REQUEST) or exchange.has(FaultKind.DROP_ANSWER):
            return await hang_up(scope, receive)
        if exchange.has(FaultKind.CUT):
            return await send_half(scope, receive, send, answer)
        if exchange.write is not None:
            exchange.write.answered = not await exchange.request.is_disconnected()
        return await send_whole(send, answer)


def _object(body: bytes) -> Values:
    """The body's JSON object. What comes for anything else is not published."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise Failed(INTERNAL, "Internal server error.")
    return given


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
