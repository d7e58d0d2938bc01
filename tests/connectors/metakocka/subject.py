"""Metakocka for the contract tests."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from app.connectors.base import QuoteDecision
from app.connectors.metakocka.document_bodies import mark_of
from app.connectors.metakocka.sandbox.testing import RunningSandbox, running_sandbox
from tests.connectors.metakocka.company import CONFIG, add_document, add_partner, ask, new_document, new_partner, product_codes, settings_of
from tests.connectors.metakocka.deciding import make_decision
from tests.connectors.subject import Effect

NAMES = ("Žiga Čefurin & Šmid d.o.o.", "مؤسسة النور للكهرباء", "חשמל בע״מ", "🔌 Sparks 🙂", "日本電気", 'O\'Brien \\ "Sons"')
RECORDS = 12
BILLS = ("sales_bill_domestic", "sales_bill_foreign", "sales_bill_retail")
TYPES = {"offers": "sales_offer", "orders": "sales_order"}


class MetakockaSubject:
    provider = "metakocka"
    faults: Mapping[str, str] = {
        "too_many": "opr-5",
        "broken": "500",
        "slow": "slow",
        "cut": "cut",
        "nonsense": "malformed-json",
    }
    names: Sequence[str] = NAMES

    def start(self) -> AbstractAsyncContextManager[RunningSandbox]:
        return running_sandbox(CONFIG)

    def settings(self, sandbox: RunningSandbox) -> dict[str, Any]:
        return settings_of(sandbox)

    def refused_settings(self, sandbox: RunningSandbox) -> dict[str, Any]:
        return self.settings(sandbox) | {"secret_key": "revoked-long-ago-7f3a"}

    async def fill(self, sandbox: RunningSandbox) -> dict[str, set[str]]:
        made: dict[str, set[str]] = {name: set() for name in ("partners", "offers", "orders", "bills")}
        partner: dict[str, Any] = {}
        for number in range(RECORDS):
            name = NAMES[number % len(NAMES)]
            if number < len(NAMES):
                partner = await add_partner(sandbox, name)
                made["partners"].add(partner["mk_id"])
            made["offers"].add((await add_document(sandbox, "sales_offer", partner, title=name, status="open"))["mk_id"])
            made["orders"].add((await add_document(sandbox, "sales_order", partner, title=name))["mk_id"])
            bill = BILLS[number % len(BILLS)]
            made["bills"].add((await add_document(sandbox, bill, partner, title=name, service_to_date="2026-03-01"))["mk_id"])
        return made | await self._goods(sandbox)

    async def _goods(self, sandbox: RunningSandbox) -> dict[str, set[str]]:
        """The sandbox's first products, under our names, and their stock."""
        for number, code in enumerate(await product_codes(sandbox) + await product_codes(sandbox, services=True)):
            await ask(sandbox, "json/product_update", code=code, name=f"{NAMES[number % len(NAMES)]} {number}")
        products = (await ask(sandbox, "json/product_list", limit="1000"))["product_list"]
        stock = (await ask(sandbox, "json/warehouse_stock", limit="1000"))["stock_list"]
        return {"products": {one["mk_id"] for one in products}, "stock": {f"{one['warehouse_id']}:{one['mk_id']}" for one in stock}}

    async def change(self, sandbox: RunningSandbox, stream: str) -> str:
        if stream == "partners":
            partner = (await ask(sandbox, "get_partner", limit="1"))["partner_list"][0]
            return str((await sandbox.edit_partner(partner["mk_id"], customer="Nov naziv"))["mk_id"])
        if stream == "products":
            code = (await product_codes(sandbox))[0]
            return str((await ask(sandbox, "json/product_update", code=code, name="Nov naziv"))["mk_id"])
        if stream == "stock":
            return await self._reserve(sandbox)
        doc_type = TYPES.get(stream, BILLS[1])
        document = (await sandbox.documents(doc_type))[0]
        await sandbox.edit_document(doc_type, document["mk_id"], title="Nov naslov")
        return str(document["mk_id"])

    async def _reserve(self, sandbox: RunningSandbox) -> str:
        """Somebody orders what lies in a warehouse."""
        row = (await ask(sandbox, "json/warehouse_stock", limit="1000"))["stock_list"][0]
        await add_document(sandbox, "sales_order", product_list=[{"code": row["code"], "amount": "1"}])
        return f"{row['warehouse_id']}:{row['mk_id']}"

    async def remove(self, sandbox: RunningSandbox, stream: str) -> str | None:
        """What is gone is only missing in a complete walk."""
        return None

    async def decision(self, sandbox: RunningSandbox, action: str) -> QuoteDecision:
        return await make_decision(sandbox, action)

    async def effects(self, sandbox: RunningSandbox, action: str, decision: QuoteDecision) -> tuple[list[Effect], list[Effect]]:
        reference = mark_of(decision.decision_id)
        seen = [
            Effect("order" if effect["object"] == "sales_order" else "offer", effect["effect"])
            for write in await sandbox.ledger()
            for effect in write["effects"]
            if write["sent"].get("buyer_order") == reference or effect["mk_id"] == decision.quote_external_id
        ]
        wanted = [Effect("offer", "changed")] + ([] if action == "reject_quote" else [Effect("order", "created")])
        return sorted(seen, key=str), sorted(wanted, key=str)

    async def new_document(self, sandbox: RunningSandbox, stream: str) -> dict[str, Any]:
        unique = secrets.token_hex(4)
        if stream == "partners":
            return new_partner(f"Naročnik {unique}", email=f"{unique}@acme.test")
        return await new_document(sandbox)

    def edit(self, stream: str, document: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        name, value = ("customer", "Nov naziv d.o.o.") if stream == "partners" else ("title", "Nov naslov")
        return {**document, name: value}, frozenset((name,))

    async def written(self, sandbox: RunningSandbox, stream: str) -> list[tuple[str, str]]:
        wanted = {"partners": ("partner",), "bills": BILLS}.get(stream, (TYPES.get(stream, ""),))
        return [(one["effect"], one["mk_id"]) for one in await sandbox.effects() if one["object"] in wanted]


subject = MetakockaSubject()
