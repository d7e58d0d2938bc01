"""What a plain program would do with the provider: its calls with a key, and short ways to make records."""

from typing import Any

import httpx

MAIN, JSON, OLD = "/rest/eshop/v1/", "/rest/eshop/v1/json/", "/rest/eshop/"
FAMILIES = {"product_list": JSON, "product_add": JSON, "product_update": JSON, "product_delete": JSON, "warehouse_list": JSON}
FAMILIES |= {"warehouse_stock": JSON, "add_attachment": OLD}
SERVICE, MATERIAL = "STO-00000", "ART-00001"

Values = dict[str, Any]


class Provider:
    """Calls of one company."""

    def __init__(self, http: httpx.AsyncClient, company_id: str, secret_key: str) -> None:
        self.http = http
        self.credentials = {"company_id": company_id, "secret_key": secret_key}

    async def call(self, name: str, /, **body: Any) -> httpx.Response:
        """One call under the path of its family."""
        return await self.http.post(FAMILIES.get(name, MAIN) + name, json=self.credentials | body)

    async def done(self, name: str, /, **body: Any) -> Values:
        """A call that must succeed; its reply."""
        answer = await self.call(name, **body)
        reply = answer.json()
        assert reply.get("opr_code", "0") == "0", reply
        return reply

    async def refused(self, name: str, /, **body: Any) -> tuple[str, str]:
        """A call that must fail; code and text."""
        answer = await self.call(name, **body)
        reply = answer.json()
        assert answer.status_code == 200
        assert reply.get("opr_code", "0") != "0", reply
        assert set(reply) == {"opr_code", "opr_desc", "opr_time_ms"}
        return reply["opr_code"], reply["opr_desc"]

    async def partner(self, **values: Any) -> Values:
        """Add a partner; the reply's ids."""
        return await self.done("add_partner", partner={"customer": "Nov d.o.o.", "street": "Čopova 1", "buyer": "true"} | values)

    async def found(self, **filters: str) -> list[Values]:
        """The partners that fit; none is an empty list."""
        reply = (await self.call("get_partner", **filters)).json()
        assert reply.get("opr_code", "0") in ("0", "2"), reply
        return reply.get("partner_list", [])

    async def whole(self, mk_id: str) -> Values:
        """A partner by its id."""
        (partner,) = await self.found(partner_id=mk_id)
        return partner

    async def linked(self) -> Values:
        """A new partner as documents link it."""
        made = await self.partner()
        return {"mk_id": made["mk_id"], "mk_address_id": made["mk_address_id_list"][0]["mk_id"]}

    async def put(self, doc_type: str = "sales_offer", /, **values: Any) -> Values:
        """Put a document with one line of a service; the reply."""
        return await self.done("put_document", **(await self.draft(doc_type, **values)))

    async def draft(self, doc_type: str = "sales_offer", /, **values: Any) -> Values:
        """What `put` sends."""
        body: Values = {"doc_type": doc_type, "doc_date": "01.03.2026", "product_list": [line()]}
        if "_bill_" in doc_type:
            body |= {"service_to_date": "01.03.2026", "duo_payment": "15.03.2026"}
        if "partner" not in values:
            body["partner"] = await self.linked()
        return body | values

    async def document(self, doc_type: str, mk_id: str, **flags: Any) -> Values:
        return await self.done("get_document", doc_type=doc_type, doc_id=mk_id, **flags)

    async def search(self, doc_type: str, /, *filters: tuple[str, str], **body: Any) -> list[Values]:
        """The hits of one window."""
        query = [{"type": name, "value": value} for name, value in filters]
        reply = await self.done("search", doc_type=doc_type, **({"query_advance": query} if query else {}), **body)
        return listed(reply.get("result"))


def line(code: str = SERVICE, **values: str) -> Values:
    return {"code": code, "amount": "1", "price": "100", "tax_factor": "0.22"} | values


def listed(value: Any) -> list[Any]:
    """A list that may come as its only element."""
    return [] if value is None else value if isinstance(value, list) else [value]


def lines_of(document: Values) -> list[Values]:
    return listed(document.get("product_list"))


async def walk(provider: Provider, limit: int = 1000) -> list[Values]:
    """All partners, a window at a time."""
    partners: list[Values] = []
    while page := await provider.found(limit=str(limit), offset=str(len(partners))):
        partners += page
        if len(page) < limit:
            break
    return partners
