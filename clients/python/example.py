"""Lists all quotes page by page and approves the first one, first with a version that nobody saw; then follows it.

python example.py https://hub.example/graphql cw_… [--by-name]
"""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
from crosswalk_client import Crosswalk
from crosswalk_client.approve_quote import ApproveQuoteApproveQuoteApproveQuoteSuccess, ApproveQuoteApproveQuoteQuoteChanged
from crosswalk_client.exceptions import GraphQLClientGraphQLMultiError
from crosswalk_client.quotes import QuotesQuotesNodes


class ByName(httpx.AsyncClient):
    """Names each query and mutation instead of sending its text: the only way where the hub answers trusted documents only."""

    async def post(self, url: Any, *, json: Any = None, **options: Any) -> httpx.Response:
        return await super().post(url, json={"documentId": json["operationName"], "variables": json["variables"]}, **options)


async def main(url: str, token: str, *, by_name: bool) -> None:
    authorization = {"authorization": f"Bearer {token}"}
    http = (ByName if by_name else httpx.AsyncClient)(headers=authorization)
    socket = url.replace("http", "ws", 1)
    async with Crosswalk(url, http_client=http, ws_url=socket, ws_connection_init_payload=authorization) as hub:
        quotes = [quote async for quote in all_quotes(hub, page_size=2)]
        print(f"{len(quotes)} quotes")
        print(await approve(hub, quotes[0], quotes[0].version + 1))
        print(await approve(hub, quotes[0], quotes[0].version))
        print(await ask_for_nonsense(hub))
        if not by_name:  # a subscription goes over the WebSocket with its text
            print(await first_event(hub, quotes[0]))


async def all_quotes(hub: Crosswalk, page_size: int) -> AsyncIterator[QuotesQuotesNodes]:
    after = None
    while True:
        page = (await hub.quotes(first=page_size, after=after)).quotes
        for quote in page.nodes:
            yield quote
        if not page.page_info.has_next_page:
            return
        after = page.page_info.end_cursor


async def approve(hub: Crosswalk, quote: QuotesQuotesNodes, version: int) -> str:
    answer = await hub.approve_quote(
        quote_id=quote.id, version=version, signature_name="Olive Owner", accept_terms=True, idempotency_key=str(uuid.uuid4())
    )
    match answer.approve_quote:
        case ApproveQuoteApproveQuoteApproveQuoteSuccess(decision=decision):
            return f"approved for {decision.approved_total.formatted}"
        case ApproveQuoteApproveQuoteQuoteChanged(current_version=now, code=code):
            return f"refused: it is at version {now} ({code})"
        case refusal:
            return f"refused: {refusal.message} ({refusal.code}, to be fixed by {refusal.fix_by.value})"


async def ask_for_nonsense(hub: Crosswalk) -> str:
    try:
        await hub.quote(id="nonsense")
    except GraphQLClientGraphQLMultiError as error:
        return f"failed: {error.errors[0].extensions['code']}"
    return "found"


async def first_event(hub: Crosswalk, quote: QuotesQuotesNodes) -> str:
    """A subscription begins with how things are. Give the last cursor as `after` to go on after a broken connection."""
    async for event in hub.quote_changed(quote_id=quote.id):
        return f"followed: {event.quote_changed.quote.status.value}"
    return "ended"


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3], by_name="--by-name" in sys.argv))
