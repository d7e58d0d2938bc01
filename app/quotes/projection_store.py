"""Every query with which quotes follow the records of a sync's page. In the whole organization's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.actors import Scope
from app.database import execute, fetch, fetch_value
from app.feed.models import NewEvent
from app.ids import new_id
from app.quotes.content import Projected, content_hash
from app.quotes.models import Content, Quote, QuoteStatus
from app.quotes.repository import event_of
from app.quotes.transitions import Known


@dataclass(frozen=True, slots=True)
class QuoteWrite:
    """A quote to be made or to follow its job; with `is_new_version`, its content and lines as well."""

    id: UUID
    external_id: str
    projected: Projected
    client_id: UUID | None
    contact_name: str
    version: int
    is_new_version: bool


@dataclass(frozen=True, slots=True)
class Renewal:
    """A new version of a quote's content."""

    quote_id: UUID
    client_id: UUID | None
    version: int
    content: Content
    content_hash: str


async def lock_known(scope: Scope, quote_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """The quotes among those ids, locked in the order of their ids until the transaction ends."""
    rows = await fetch(
        scope,
        """
        SELECT quote.*, decision.id AS decision_id,
            (SELECT confirmation FROM delivery WHERE delivery.organization_id = $1 AND delivery.decision_id = decision.id
                AND delivery.quote_id = quote.id AND delivery.status = 'confirmed' ORDER BY delivery.id DESC LIMIT 1) AS confirmation
        FROM quote LEFT JOIN quote_decision AS decision
            ON decision.organization_id = $1 AND decision.quote_id = quote.id AND decision.superseded_at IS NULL
        WHERE quote.organization_id = $1 AND quote.id = ANY($2::uuid[])
        ORDER BY quote.id FOR NO KEY UPDATE OF quote
        """,
        scope.organization_id,
        list(quote_ids),
    )
    return {row["id"]: _known(row) for row in rows}


def _known(row: Any) -> Known:
    return Known(
        id=row["id"],
        client_id=row["client_id"],
        status=QuoteStatus(row["status"]),
        provider_status=row["provider_status"],
        version=row["version"],
        content_hash=row["content_hash"],
        head=(row["number"], row["title"], row["contact_external_id"], row["site_address"], row["issued_at"], row["valid_until"]),
        contact_external_id=row["contact_external_id"],
        contact_name=row["contact_name"],
        valid_until=row["valid_until"],
        decision_id=row["decision_id"],
        confirmation=row["confirmation"],
    )


async def save(scope: Scope, connection_id: UUID, provider: str, writes: Sequence[QuoteWrite]) -> list[NewEvent]:
    """Make or change the quotes. They are open afterwards. Returns what to tell the feed."""
    rows = [_row(write) for write in writes]
    saved = await fetch(scope, _SAVE, scope.organization_id, connection_id, provider, rows)
    await _save_contents(scope, [_renewal(write) for write in writes if write.is_new_version])
    return [event_of(row) for row in saved]


def _renewal(write: QuoteWrite) -> Renewal:
    return Renewal(write.id, write.client_id, write.version, write.projected.content, write.projected.content_hash)


async def renew(scope: Scope, quote: Quote, content: Content) -> None:
    """Give a locked quote other content, as its next version; the same content changes nothing."""
    renewal = Renewal(quote.id, quote.client_id, quote.version + 1, content, content_hash(content))
    renewed = await execute(
        scope,
        """
        UPDATE quote SET version = $3, content_hash = $4, title = $5, subtotal = $6, tax = $7, total = $8
        WHERE organization_id = $1 AND id = $2 AND content_hash <> $4
        """,
        scope.organization_id,
        quote.id,
        renewal.version,
        renewal.content_hash,
        content.title,
        content.subtotal,
        content.tax,
        content.total,
    )
    if renewed:
        await _save_contents(scope, [renewal])


async def _save_contents(scope: Scope, renewals: Sequence[Renewal]) -> None:
    if renewals:
        await _save_lines(scope, renewals)
        await _save_versions(scope, renewals)


_SAVE = """
    INSERT INTO quote (id, organization_id, client_id, connection_id, provider, external_id, contact_external_id, contact_name,
        number, title, site_address, version, content_hash, currency, subtotal, tax, total, issued_at, valid_until)
    SELECT given.id, $1, given.client_id, $2, $3, given.external_id, given.contact_external_id, given.contact_name,
        given.number, given.title, given.site_address, given.version, given.content_hash, given.currency, given.subtotal,
        given.tax, given.total, given.issued_at, given.valid_until
    FROM jsonb_to_recordset($4::jsonb) AS given (id uuid, client_id uuid, external_id text, contact_external_id text,
        contact_name text, number text, title text, site_address text, version integer, content_hash text, currency text,
        subtotal numeric, tax numeric, total numeric, issued_at timestamptz, valid_until timestamptz)
    ON CONFLICT (organization_id, id) DO UPDATE SET client_id = EXCLUDED.client_id, contact_external_id = EXCLUDED.contact_external_id,
        contact_name = EXCLUDED.contact_name, number = EXCLUDED.number, title = EXCLUDED.title,
        site_address = EXCLUDED.site_address, version = EXCLUDED.version, content_hash = EXCLUDED.content_hash,
        currency = EXCLUDED.currency, subtotal = EXCLUDED.subtotal, tax = EXCLUDED.tax, total = EXCLUDED.total,
        issued_at = EXCLUDED.issued_at, valid_until = EXCLUDED.valid_until, status = 'open', provider_status = 'quote',
        revision = quote.revision + 1, updated_at = now()
    RETURNING id, revision, status, version, client_id
"""


def _row(write: QuoteWrite) -> dict[str, Any]:
    projected, content = write.projected, write.projected.content
    return {
        "id": write.id,
        "client_id": write.client_id,
        "external_id": write.external_id,
        "contact_external_id": projected.contact_external_id,
        "contact_name": write.contact_name,
        "number": projected.number,
        "title": content.title,
        "site_address": projected.site_address,
        "version": write.version,
        "content_hash": projected.content_hash,
        "currency": content.currency,
        "subtotal": content.subtotal,
        "tax": content.tax,
        "total": content.total,
        "issued_at": projected.issued_at,
        "valid_until": projected.valid_until,
    }


async def _save_lines(scope: Scope, renewals: Sequence[Renewal]) -> None:
    """A line keeps its id as long as the provider keeps its own; lines that are gone go."""
    lines = [
        {"id": new_id(), "quote_id": renewal.quote_id, "client_id": renewal.client_id} | msgspec.to_builtins(line)
        for renewal in renewals
        for line in renewal.content.lines
    ]
    await execute(
        scope,
        """
        DELETE FROM quote_line WHERE organization_id = $1 AND quote_id = ANY($2::uuid[]) AND (quote_id, external_id) NOT IN (
            SELECT given.quote_id, given.external_id FROM jsonb_to_recordset($3::jsonb) AS given (quote_id uuid, external_id text))
        """,
        scope.organization_id,
        [renewal.quote_id for renewal in renewals],
        lines,
    )
    await execute(scope, _SAVE_LINES, scope.organization_id, lines)


_SAVE_LINES = """
    INSERT INTO quote_line (id, organization_id, client_id, quote_id, external_id, position, description, quantity,
        unit_price, tax_rate, amount, tax, total)
    SELECT given.id, $1, given.client_id, given.quote_id, given.external_id, given.position, given.description,
        given.quantity, given.unit_price, given.tax_rate, given.amount, given.tax, given.total
    FROM jsonb_to_recordset($2::jsonb) AS given (id uuid, client_id uuid, quote_id uuid, external_id text, position integer,
        description text, quantity numeric, unit_price numeric, tax_rate numeric, amount numeric, tax numeric, total numeric)
    ON CONFLICT (organization_id, quote_id, external_id) DO UPDATE SET client_id = EXCLUDED.client_id,
        position = EXCLUDED.position, description = EXCLUDED.description, quantity = EXCLUDED.quantity,
        unit_price = EXCLUDED.unit_price, tax_rate = EXCLUDED.tax_rate, amount = EXCLUDED.amount, tax = EXCLUDED.tax,
        total = EXCLUDED.total, decision = 'pending', reason = NULL
"""


async def _save_versions(scope: Scope, renewals: Sequence[Renewal]) -> None:
    await execute(
        scope,
        """
        INSERT INTO quote_version (organization_id, client_id, quote_id, version, content_hash, content)
        SELECT $1, given.client_id, given.quote_id, given.version, given.content_hash, given.content
        FROM jsonb_to_recordset($2::jsonb) AS given (client_id uuid, quote_id uuid, version integer, content_hash text, content jsonb)
        """,
        scope.organization_id,
        renewals,
    )


async def set_status(scope: Scope, rows: Sequence[tuple[UUID, QuoteStatus, str]]) -> list[NewEvent]:
    """Change only the status and what the provider says. Returns what to tell the feed."""
    if not rows:
        return []
    changed = await fetch(
        scope,
        """
        UPDATE quote SET status = given.status, provider_status = given.provider_status, revision = revision + 1, updated_at = now()
        FROM unnest($2::uuid[], $3::text[], $4::text[]) AS given (id, status, provider_status)
        WHERE quote.organization_id = $1 AND quote.id = given.id
        RETURNING quote.id, quote.revision, quote.status, quote.version, quote.client_id
        """,
        scope.organization_id,
        [quote_id for quote_id, _, _ in rows],
        [status for _, status, _ in rows],
        [provider_status for _, _, provider_status in rows],
    )
    return [event_of(row) for row in changed]


async def record_data(scope: Scope, record_id: UUID) -> Any:
    """The job as the hub has it; None once it is deleted."""
    sql = "SELECT data FROM record WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
    return await fetch_value(scope, sql, scope.organization_id, record_id)


async def record_changed_since(scope: Scope, record_id: UUID, since: datetime) -> Any:
    """The job if a sync has changed it since then; None if not, or once it is deleted."""
    sql = "SELECT data FROM record WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL AND updated_at > $3"
    return await fetch_value(scope, sql, scope.organization_id, record_id, since)


async def content(scope: Scope, quote_id: UUID, version: int) -> Content:
    """What could be seen at that version."""
    sql = "SELECT content FROM quote_version WHERE organization_id = $1 AND quote_id = $2 AND version = $3"
    return msgspec.convert(await fetch_value(scope, sql, scope.organization_id, quote_id, version), Content)
