"""The MK user's stock and webhooks: what is counted in a warehouse, and where events go."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.connectors.sandbox_kit.control_answers import ControlError, given_object, json_answer

from .sandbox import Sandbox
from .warehouses import MARKS, reserved, stock_rows
from .webhooks import Target

STOCK_ROUTES = {
    "POST /sandbox/stock/{mk_id}": 'count a product: {"GL":"12","MB":"0"}, by warehouse mark; its rows',
    "GET /sandbox/webhooks": "where events go, and every attempt to deliver one",
    "POST /sandbox/webhooks": 'send stock events: {"url":"http://…","client_secret":"…","username":"","password":""}',
    "DELETE /sandbox/webhooks": "send none",
}


class Stock:
    """The routes of stock and webhooks."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        return [
            Route("/stock/{mk_id}", self.count, methods=["POST"]),
            Route("/webhooks", self.webhooks, methods=["GET"]),
            Route("/webhooks", self.set_target, methods=["POST"]),
            Route("/webhooks", self.clear, methods=["DELETE"]),
        ]

    async def count(self, request: Request) -> Response:
        company = self.sandbox.company_of(request.query_params.get("company_id"))
        product = company.products.get(request.path_params["mk_id"])
        given = await given_object(request)
        if product is None or set(given) - set(MARKS):
            raise ControlError(404, f"There is no such product, or a warehouse other than {', '.join(MARKS)}.")
        company.journal.begin()
        amounts = {mark: str(amount) for mark, amount in given.items()}
        counted = {**product, "_stock": {**product.get("_stock", {}), **amounts}}
        company.products.put(int(product["mk_id"]), counted)
        self.sandbox.webhooks.tell(company, company.journal.end())
        return json_answer(stock_rows(counted, reserved(company)))

    async def webhooks(self, request: Request) -> Response:
        webhooks = self.sandbox.webhooks
        return json_answer({"targets": {name: one.url for name, one in webhooks.targets.items()}, "attempts": webhooks.attempts})

    async def set_target(self, request: Request) -> Response:
        company = self.sandbox.company_of(request.query_params.get("company_id"))
        self.sandbox.webhooks.targets[company.described.company_id] = msgspec.convert(await given_object(request), type=Target)
        return await self.webhooks(request)

    async def clear(self, request: Request) -> Response:
        self.sandbox.webhooks.clear()
        return await self.webhooks(request)
