"""ServiceM8 for the contract tests, and short ways to make quotes in its sandbox."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

from app.connectors.base import DecidedLine, QuoteDecision
from app.connectors.servicem8.objects import note_uuid
from app.connectors.servicem8.sandbox.config import SandboxConfig
from app.connectors.servicem8.sandbox.testing import RunningSandbox, running_sandbox
from tests.connectors.subject import Effect

NAMES = ("Žiga Čefurin & Šmid d.o.o.", "مؤسسة النور للكهرباء", "חשמל בע״מ", "🔌 Sparks 🙂", "日本電気", 'O\'Brien \\ "Sons"')


class ServiceM8Subject:
    provider = "servicem8"
    faults: Mapping[str, str] = {
        "too_many": "429-day",
        "broken": "500",
        "slow": "slow",
        "cut": "cut",
        "nonsense": "malformed-json",
    }
    names: Sequence[str] = NAMES

    def start(self) -> AbstractAsyncContextManager[RunningSandbox]:
        return running_sandbox(SandboxConfig(limits_factor=None, page_size=3))

    def settings(self, sandbox: RunningSandbox) -> dict[str, Any]:
        return {"api_key": sandbox.api_key, "base_url": sandbox.url, "delay_seconds": 0.01}

    def refused_settings(self, sandbox: RunningSandbox) -> dict[str, Any]:
        return self.settings(sandbox) | {"api_key": "smk-revoked-long-ago-7f3a"}

    async def fill(self, sandbox: RunningSandbox) -> dict[str, set[str]]:
        companies, jobs, quotes = set(), set(), set()
        for number, name in enumerate(NAMES):
            company = (await sandbox.create("company", name=name))["uuid"]
            await sandbox.create("companycontact", company_uuid=company, first=name, email=f"a{number}@example.test", type="BILLING")
            status = "Work Order" if number == 1 else "Quote"
            job = await make_job(sandbox, status=status, company_uuid=company, job_description=name)
            await sandbox.add_line(job, name=name, quantity="1.5", price="110", tax_inclusive=True)
            companies.add(company)
            jobs.add(job)
            quotes |= {job} if status == "Quote" else set()
        return {"companies": companies, "jobs": jobs, "quotes": quotes}

    async def change(self, sandbox: RunningSandbox, stream: str) -> str:
        name, record = await self._any(sandbox, stream)
        field = "address" if name == "company" else "job_address"
        await sandbox.edit(name, record, **{field: f"{secrets.token_hex(3)} New Street"})
        return record

    async def remove(self, sandbox: RunningSandbox, stream: str) -> str | None:
        name, record = await self._any(sandbox, stream)
        await sandbox.delete(name, record)
        return record

    async def _any(self, sandbox: RunningSandbox, stream: str) -> tuple[str, str]:
        name = "company" if stream == "companies" else "job"
        records = await sandbox.records(name)
        return name, next(record["uuid"] for record in records if record.get("status") in (None, "Quote") and record["active"])

    async def decision(self, sandbox: RunningSandbox, action: str) -> QuoteDecision:
        return await make_decision(sandbox, action)

    async def effects(self, sandbox: RunningSandbox, action: str, decision: QuoteDecision) -> tuple[list[Effect], list[Effect]]:
        job, note = decision.quote_external_id, note_uuid(decision.decision_id, decision.quote_external_id)
        ours = {job: "job", note: "note"} | {line.external_id: line.external_id for line in decision.lines}
        seen = [Effect(ours[write["uuid"]], write["effect"]) for write in await sandbox.ledger() if write["uuid"] in ours]
        wanted = [Effect("job", "updated"), Effect("note", "created")]
        if action == "approve_quote_partially":
            wanted += [Effect(line.external_id, "deleted") for line in decision.lines if not line.approved]
        effective = [one for one in seen if one.effect != "none"]
        return sorted(effective, key=str), sorted(wanted, key=str)


async def make_job(sandbox: RunningSandbox, **values: Any) -> str:
    job = await sandbox.create("job", **({"status": "Quote"} | values))
    return str(job["uuid"])


async def make_quote(sandbox: RunningSandbox, lines: int = 3) -> tuple[str, list[dict[str, Any]]]:
    """A quote with that many lines, as the provider keeps them."""
    company = (await sandbox.create("company", name=f"Client {secrets.token_hex(4)}"))["uuid"]
    job = await make_job(sandbox, company_uuid=company, job_description="Replace switchboard")
    made = [
        await sandbox.add_line(job, name=f"Line {n} ž", quantity=f"{n}.5", price="110", tax_inclusive=n % 2 == 0)
        for n in range(1, lines + 1)
    ]
    return job, made


async def make_decision(sandbox: RunningSandbox, action: str, *, lines: int = 3, declined: Sequence[int] = (1, 2)) -> QuoteDecision:
    """A decision on a new quote; in a partial one, the lines with these places are declined."""
    job, made = await make_quote(sandbox, lines)
    partial = action == "approve_quote_partially"
    decided = tuple(
        DecidedLine(
            external_id=line["uuid"],
            description=line["name"],
            quantity=Decimal(line["quantity"]),
            unit_price=Decimal(line["price"]),
            approved=action != "reject_quote" and not (partial and place in declined),
            reason="Too dear" if partial and place in declined else None,
        )
        for place, line in enumerate(made)
    )
    return QuoteDecision(
        decision_id=secrets.token_hex(16),
        quote_external_id=job,
        outcome={"approve_quote": "approved", "reject_quote": "rejected"}.get(action, "partially_approved"),
        lines=decided,
        decided_by="Ana Žagar",
        decided_at="2026-11-21T07:00:00+00:00",
        signature_name="Ana Žagar",
        reason="We chose somebody else" if action == "reject_quote" else None,
        note="Please call before you come",
    )


subject = ServiceM8Subject()
