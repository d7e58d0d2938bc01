"""The stock webhook: what it says, how it is signed, and when it is tried again."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from app.connectors.metakocka.sandbox.testing import RunningSandbox

from .provider import MATERIAL, Provider, line

SECRET = "skrivnost-č"


@dataclass
class Receiver:
    """A plain server that keeps what it is sent and gives the replies it was told, the last of them again and again."""

    replies: list[bytes]
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in head[1:] if one)}
        self.heads.append(headers)
        self.bodies.append(await reader.readexactly(int(headers["content-length"])))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(reply), reply))
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(*replies: bytes) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(replies))
    async with await asyncio.start_server(receiver.serve, "127.0.0.1", 0) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?x=1"
        yield receiver


async def attempts(sandbox: RunningSandbox, count: int) -> list[dict[str, object]]:
    """The attempts, as soon as there are so many and a moment has brought no more."""
    for _ in range(200):
        if len(await sandbox.webhook_attempts()) >= count:
            await asyncio.sleep(0.1)
            break
        await asyncio.sleep(0.02)
    return await sandbox.webhook_attempts()


async def test_an_order_tells_the_stock_of_its_products_signed(sandbox: RunningSandbox, provider: Provider):
    async with receiving(b'{"status":"ok"}') as receiver:
        await sandbox.send_webhooks(receiver.url, SECRET, username="mk", password="geslo")
        await provider.put("sales_order", product_list=[line(MATERIAL, amount="2")])
        made = await attempts(sandbox, 1)
    (headers,), (body,) = receiver.heads, receiver.bodies
    event = orjson.loads(body)

    assert [(one["number"], one["heard"]) for one in made] == [(1, True)]
    assert headers["x-metakocka-event"] == "warehouse_product_stock_update"
    assert headers["x-metakocka-id"] == made[0]["event_id"]
    assert headers["x-metakocka-signature"] == base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha1)).decode()
    assert headers["authorization"] == "Basic " + base64.b64encode(b"mk:geslo").decode()
    assert (event["opr_code"], event["stock_list_count"]) == ("0", "2")
    row = event["stock_list"][0]
    assert (row["code"], row["reserved_amount"], int(row["amount"]) - int(row["free_amount"])) == (MATERIAL, "2", 2)


async def test_an_unheard_event_is_tried_twice_more_and_then_lost(sandbox: RunningSandbox, provider: Provider):
    product = (await provider.done("product_list", code=MATERIAL))["product_list"]
    await sandbox.settings(webhook_retry_seconds=0.05)
    async with receiving(b"OK") as receiver:
        await sandbox.send_webhooks(receiver.url, SECRET)
        await sandbox.count_stock(product["mk_id"], GL="7")
        made = await attempts(sandbox, 3)

    assert [(one["number"], one["status"], one["heard"]) for one in made] == [(1, 200, False), (2, 200, False), (3, 200, False)]
    assert len({headers["x-metakocka-id"] for headers in receiver.heads}) == 1
    assert {row["amount"] for row in orjson.loads(receiver.bodies[0])["stock_list"] if row["warehouse_id"] == "150000000042"} == {"7"}


async def test_the_other_key_of_a_reply_is_heard_too_and_waits_follow_the_clock(sandbox: RunningSandbox, provider: Provider):
    product = (await provider.done("product_list", code=MATERIAL))["product_list"]
    await sandbox.set_clock(scale=1000)
    async with receiving(b"<html>", b'{"check_respond_status_json_ok":"true"}') as receiver:
        await sandbox.send_webhooks(receiver.url, SECRET)
        await sandbox.count_stock(product["mk_id"], MB="0")
        made = await attempts(sandbox, 2)

    assert [one["heard"] for one in made] == [False, True]


async def test_nobody_there_is_an_attempt_without_an_answer(sandbox: RunningSandbox, provider: Provider):
    product = (await provider.done("product_list", code=MATERIAL))["product_list"]
    await sandbox.set_clock(scale=0)
    await sandbox.send_webhooks("http://127.0.0.1:9/", SECRET)
    await sandbox.count_stock(product["mk_id"], GL="1")

    assert [one["status"] for one in await attempts(sandbox, 3)] == [0, 0, 0]
    assert await provider.put("sales_bill_domestic", product_list=[line(MATERIAL)])
    assert len(await attempts(sandbox, 3)) == 3
