"""Every query on decisions, and what they do to their quote's lines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from app.actors import Scope
from app.database import execute, fetch_row, fetch_value
from app.deliveries import repository as deliveries
from app.deliveries.models import Delivery
from app.feed.models import NewEvent
from app.quotes.models import Decision, LineDecision, Quote
from app.quotes.repository import grouped, json_of, touch
from app.statements import of_client

_DECISION = json_of(Decision, "decision")


async def of_quotes(scope: Scope, quote_ids: Sequence[UUID]) -> dict[UUID, list[Decision]]:
    """All decisions on several quotes, latest first; superseded ones say so."""
    return await grouped(scope, Decision, _DECISION, "quote_decision AS decision", "decision", "decision.id DESC", quote_ids)


async def get(scope: Scope, decision_id: UUID) -> Decision | None:
    row = await fetch_row(
        scope,
        f"SELECT {_DECISION} AS value FROM quote_decision AS decision WHERE organization_id = $1 AND id = $2 AND {of_client('decision')}",
        scope.organization_id,
        decision_id,
    )
    return msgspec.convert(row["value"], Decision) if row else None


async def delivery_of(scope: Scope, decision_id: UUID, titles: Mapping[str, str]) -> Delivery | None:
    sql = f"""
        SELECT {deliveries.JSON} AS value FROM delivery
        WHERE organization_id = $1 AND decision_id = $2 AND {of_client("delivery")} ORDER BY id DESC LIMIT 1
    """
    row = await fetch_row(scope, sql, scope.organization_id, decision_id)
    return deliveries.from_json(row["value"], titles) if row else None


async def request_hash(scope: Scope, decision_id: UUID) -> str:
    """What the decision's wish was recognised by."""
    sql = f"SELECT request_hash FROM quote_decision WHERE organization_id = $1 AND id = $2 AND {of_client('quote_decision')}"
    return str(await fetch_value(scope, sql, scope.organization_id, decision_id))


async def add(scope: Scope, quote: Quote, made: Decision, *, idempotency_key: str, request_hash: str) -> None:
    await execute(
        scope,
        """
        INSERT INTO quote_decision (id, organization_id, client_id, quote_id, quote_version, outcome, lines, currency,
            approved_subtotal, approved_tax, approved_total, reason, note, purchase_order, signature_name, terms,
            decided_by, decided_at, idempotency_key, request_hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
        """,
        made.id,
        scope.organization_id,
        quote.client_id,
        quote.id,
        made.quote_version,
        made.outcome,
        made.lines,
        made.currency,
        made.approved_subtotal,
        made.approved_tax,
        made.approved_total,
        made.reason,
        made.note,
        made.purchase_order,
        made.signature_name,
        made.terms,
        made.decided_by,
        made.decided_at,
        idempotency_key,
        request_hash,
    )


async def settle(scope: Scope, made: Decision) -> NewEvent:
    """Bring the quote and its lines in step with the decision. Returns what to tell the feed."""
    await execute(
        scope,
        f"""
        UPDATE quote_line SET decision = given.decision, reason = given.reason
        FROM unnest($3::uuid[], $4::text[], $5::text[]) AS given (id, decision, reason)
        WHERE quote_line.organization_id = $1 AND quote_line.quote_id = $2 AND quote_line.id = given.id AND {of_client("quote_line")}
        """,
        scope.organization_id,
        made.quote_id,
        [line.id for line in made.lines],
        [line.decision for line in made.lines],
        [line.reason for line in made.lines],
    )
    return await touch(scope, made.quote_id, status=made.outcome, reopened_reason=None)


async def supersede(scope: Scope, made: Decision, *, reason: str, at: datetime) -> None:
    """Keep a decision as history and put the quote's lines back to undecided."""
    await execute(
        scope,
        """
        UPDATE quote_decision SET superseded_at = $3, superseded_reason = $4
        WHERE organization_id = $1 AND id = $2 AND superseded_at IS NULL
        """,
        scope.organization_id,
        made.id,
        at,
        reason,
    )
    await execute(
        scope,
        "UPDATE quote_line SET decision = $3, reason = NULL WHERE organization_id = $1 AND quote_id = $2",
        scope.organization_id,
        made.quote_id,
        LineDecision.PENDING,
    )


async def contact_address(scope: Scope, client_contact_id: UUID) -> tuple[str, str] | None:
    """Name and e-mail address of a client's contact. In the whole organization's scope only."""
    row = await fetch_row(
        scope,
        "SELECT name, email FROM client_contact WHERE organization_id = $1 AND id = $2 AND disabled_at IS NULL",
        scope.organization_id,
        client_contact_id,
    )
    return (row["name"], row["email"]) if row else None
