"""The stock webhook, the only event there is: signed, tried again twice, and heard only with a JSON reply that says ok.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/webhooks.md
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import count
from urllib.parse import urlsplit

import msgspec
import orjson

from .company import Company
from .table import Change
from .warehouses import reserved, stock_rows

EVENT = "warehouse_product_stock_update"
TRIES = 3
SECONDS_TO_ANSWER = 10


class Target(msgspec.Struct, forbid_unknown_fields=True):
    """Where the events of a company go, as set up in MK's screens. Basic credentials are sent if there is a user."""

    url: str
    client_secret: str
    username: str = ""
    password: str = ""


@dataclass(slots=True)
class Attempt:
    """One try to deliver an event. Status 0: no answer came."""

    event_id: str
    number: int
    status: int
    heard: bool


class Webhooks:
    """The targets by company, and every attempt since the start. `wait` waits sandbox seconds."""

    def __init__(self, wait: Callable[[float], Awaitable[None]]) -> None:
        self.targets: dict[str, Target] = {}
        self.attempts: list[Attempt] = []
        self._wait = wait
        self._numbers = count(1)
        self._under_way: set[asyncio.Task[None]] = set()

    def clear(self) -> None:
        """Forget targets and attempts, and give up what is still to be tried."""
        for task in self._under_way:
            task.cancel()
        self.targets.clear()
        self.attempts.clear()

    def tell(self, company: Company, changes: list[Change]) -> None:
        """Send an event for each product whose stock, or the part of it that orders reserve, these changes touched."""
        target = self.targets.get(company.described.company_id)
        if target is None:
            return
        for mk_id in sorted(_products(changes)):
            if product := company.products.get(mk_id):
                rows = [{"reserved_amount": "0", "free_amount": one["amount"], **one} for one in stock_rows(product, reserved(company))]
                body = orjson.dumps({"opr_code": "0", "stock_list_count": str(len(rows)), "stock_list": rows})
                self._send(target, body, company.config.webhook_retry_seconds)

    def _send(self, target: Target, body: bytes, retry_seconds: float) -> None:
        task = asyncio.create_task(self._deliver(target, body, f"mk-event-{next(self._numbers)}", retry_seconds))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, target: Target, body: bytes, event_id: str, retry_seconds: float) -> None:
        for number in range(1, TRIES + 1):
            if number > 1:
                await self._wait(retry_seconds)
            status, reply = await asyncio.to_thread(_post, target, body, event_id)
            self.attempts.append(Attempt(event_id, number, status, heard=is_heard(reply)))
            if self.attempts[-1].heard:
                return


def signature(body: bytes, client_secret: str) -> str:
    """What the receiver can check: HMAC-SHA1 of the raw body in Base64."""
    return base64.b64encode(hmac.digest(client_secret.encode(), body, hashlib.sha1)).decode()


def is_heard(reply: bytes) -> bool:
    """Whether a reply says ok in one of the two ways that the vendor's page names."""
    try:
        content = orjson.loads(reply)
    except orjson.JSONDecodeError:
        return False
    return isinstance(content, dict) and (content.get("status") == "ok" or content.get("check_respond_status_json_ok") == "true")


def _products(changes: list[Change]) -> set[str]:
    mk_ids = {str(change.mk_id) for change in changes if change.table.name == "product" and "_stock" in change.changed_fields()}
    orders = [one for change in changes if change.table.name == "sales_order" for one in (change.before, change.after) if one]
    return mk_ids | {line["mk_id"] for order in orders for line in order.lines}


def _post(target: Target, body: bytes, event_id: str) -> tuple[int, bytes]:
    address = urlsplit(target.url)
    connection_type = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = connection_type(address.hostname or "", address.port, timeout=SECONDS_TO_ANSWER)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        connection.request("POST", path, body, _headers(target, body, event_id))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def _headers(target: Target, body: bytes, event_id: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "X-MetaKocka-Event": EVENT,
        "X-MetaKocka-Id": event_id,
        "X-MetaKocka-Signature": signature(body, target.client_secret),
    }
    if target.username:
        credentials = base64.b64encode(f"{target.username}:{target.password}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    return headers
