"""Every query that reads quotes or writes decisions. What the sync engine writes is in app/quotes/projection_store.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from app.actors import Scope
from app.database import fetch, fetch_row, fetch_value
from app.deliveries import repository as deliveries
from app.feed.models import NewEvent
from app.quotes.models import Decision, Quote, QuoteLine, QuoteStatus, QuoteVersion
from app.statements import of_client

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which quotes; None is any."""

    status: QuoteStatus | None = None
    contact_external_id: str | None = None
    connection_id: UUID | None = None
    client_id: UUID | None = None


def json_of(model: type, table: str) -> str:
    """A row as JSON with the model's fields; exact numbers travel as text."""
    pairs = (f"'{field.name}', {table}.{field.name}{'::text' if field.type is Decimal else ''}" for field in fields(model))
    return f"jsonb_build_object({', '.join(pairs)})"


STATUS = "CASE WHEN {quote}.status = 'open' AND {quote}.valid_until <= {now} THEN 'expired' ELSE {quote}.status END"
"""Where a quote stands at a moment; nothing is written when one expires."""

_HEAD = f"""
    quote.id, quote.client_id, quote.connection_id, quote.provider, quote.external_id, quote.contact_external_id,
    quote.contact_name, quote.number, quote.title, quote.site_address, quote.provider_status, quote.version,
    quote.currency, quote.subtotal, quote.tax, quote.total, quote.issued_at, quote.valid_until, quote.reopened_reason,
    quote.revision, quote.created_at, quote.updated_at,
    {STATUS.format(quote="quote", now="$2")} AS status
"""
_LINE, _VERSION, _DECISION = json_of(QuoteLine, "line"), json_of(QuoteVersion, "version"), json_of(Decision, "decision")
_OF_QUOTE = "{0}.organization_id = quote.organization_id AND {0}.quote_id = quote.id"


async def lock(scope: Scope, quote_id: UUID) -> bool:
    """Hold the quote until the transaction ends. Whether it is there."""
    sql = f"SELECT id FROM quote WHERE organization_id = $1 AND id = $2 AND {of_client('quote')} FOR NO KEY UPDATE"
    return await fetch_value(scope, sql, scope.organization_id, quote_id) is not None


async def get(scope: Scope, quote_id: UUID, *, now: datetime, titles: Mapping[str, str]) -> Quote | None:
    """The quote with everything about it, as of one moment."""
    row = await fetch_row(
        scope,
        f"""
        SELECT {_HEAD}, organization.terms,
            (SELECT jsonb_agg({_LINE} ORDER BY line.position, line.external_id) FROM quote_line AS line
                WHERE {_OF_QUOTE.format("line")}) AS lines,
            (SELECT jsonb_agg({_VERSION} ORDER BY version.version DESC) FROM quote_version AS version
                WHERE {_OF_QUOTE.format("version")}) AS versions,
            (SELECT jsonb_agg({_DECISION} ORDER BY decision.id DESC) FROM quote_decision AS decision
                WHERE {_OF_QUOTE.format("decision")}) AS decisions,
            (SELECT {deliveries.JSON} FROM delivery WHERE {_OF_QUOTE.format("delivery")}
                ORDER BY delivery.id DESC LIMIT 1) AS delivery
        FROM quote JOIN organization ON organization.id = quote.organization_id
        WHERE quote.organization_id = $1 AND quote.id = $3 AND {of_client("quote")}
        """,
        scope.organization_id,
        now,
        quote_id,
    )
    return _quote(row, titles, **_details(row, titles)) if row else None


def _details(row: asyncpg.Record, titles: Mapping[str, str]) -> dict[str, Any]:
    decisions = msgspec.convert(row["decisions"] or [], tuple[Decision, ...])
    return {
        "lines": msgspec.convert(row["lines"] or [], tuple[QuoteLine, ...]),
        "versions": msgspec.convert(row["versions"] or [], tuple[QuoteVersion, ...]),
        "decision": next((decision for decision in decisions if decision.superseded_at is None), None),
        "history": tuple(decision for decision in decisions if decision.superseded_at is not None),
        "delivery": deliveries.from_json(row["delivery"], titles) if row["delivery"] else None,
        "terms": row["terms"],
    }


def _quote(row: asyncpg.Record, titles: Mapping[str, str], **details: Any) -> Quote:
    return Quote(
        id=row["id"],
        client_id=row["client_id"],
        connection_id=row["connection_id"],
        provider=row["provider"],
        provider_title=titles.get(row["provider"], row["provider"]),
        external_id=row["external_id"],
        contact_external_id=row["contact_external_id"],
        contact_name=row["contact_name"],
        number=row["number"],
        title=row["title"],
        site_address=row["site_address"],
        status=QuoteStatus(row["status"]),
        provider_status=row["provider_status"],
        version=row["version"],
        currency=row["currency"],
        subtotal=row["subtotal"],
        tax=row["tax"],
        total=row["total"],
        issued_at=row["issued_at"],
        valid_until=row["valid_until"],
        reopened_reason=row["reopened_reason"],
        revision=row["revision"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        **details,
    )


async def page(
    scope: Scope,
    chosen: Filter,
    *,
    first: int,
    after: UUID | None,
    now: datetime,
    titles: Mapping[str, str],
    oldest_first: bool = False,
) -> list[Quote]:
    """Quotes, newest first or oldest first; one more than `first`, to see whether there are more."""
    behind, order = (">", "quote.id") if oldest_first else ("<", "quote.id DESC")
    conditions, arguments = _conditions(scope, chosen, now)
    if after is not None:
        arguments.append(after)
        conditions += f" AND quote.id {behind} ${len(arguments)}"
    rows = await fetch(scope, f"SELECT {_HEAD} FROM quote WHERE {conditions} ORDER BY {order} LIMIT {first + 1:d}", *arguments)
    return [_quote(row, titles) for row in rows]


async def get_many(scope: Scope, quote_ids: Sequence[UUID], *, now: datetime, titles: Mapping[str, str]) -> list[Quote]:
    """Those of the quotes that exist, without their details."""
    sql = f"SELECT {_HEAD} FROM quote WHERE quote.organization_id = $1 AND quote.id = ANY($3::uuid[]) AND {of_client('quote')}"
    return [_quote(row, titles) for row in await fetch(scope, sql, scope.organization_id, now, list(quote_ids))]


async def count(scope: Scope, chosen: Filter, *, now: datetime) -> int:
    conditions, arguments = _conditions(scope, chosen, now)
    number: int = await fetch_value(scope, f"SELECT count(*) FROM quote WHERE {conditions} AND $2::timestamptz IS NOT NULL", *arguments)
    return number


def _conditions(scope: Scope, chosen: Filter, now: datetime) -> tuple[str, list[Any]]:
    arguments: list[Any] = [scope.organization_id, now]
    conditions = ["quote.organization_id = $1", of_client("quote")]
    if scope.client_id is not None:  # named beside its wall, because no index finds that
        arguments.append(scope.client_id)
        conditions.append(f"quote.client_id = ${len(arguments)}")
    for column in ("contact_external_id", "connection_id", "client_id"):
        value = getattr(chosen, column)
        if value is not None:
            arguments.append(value)
            conditions.append(f"quote.{column} = ${len(arguments)}")
    if chosen.status is not None:
        conditions.append(status_condition(chosen.status).format(quote="quote", now="$2"))
    return " AND ".join(conditions), arguments


def status_condition(status: QuoteStatus) -> str:
    """Which rows stand there at the moment `now`."""
    if status is QuoteStatus.OPEN:
        return "{quote}.status = 'open' AND ({quote}.valid_until IS NULL OR {quote}.valid_until > {now})"
    if status is QuoteStatus.EXPIRED:
        return "{quote}.status = 'open' AND {quote}.valid_until <= {now}"
    return f"{{quote}}.status = '{status.value}'"


async def lines_of(scope: Scope, quote_ids: Sequence[UUID]) -> dict[UUID, list[QuoteLine]]:
    """The lines of several quotes, in their order."""
    return await grouped(scope, QuoteLine, _LINE, "quote_line AS line", "line", "line.position, line.external_id", quote_ids)


async def versions_of(scope: Scope, quote_ids: Sequence[UUID]) -> dict[UUID, list[QuoteVersion]]:
    """What could be seen of several quotes, latest version first."""
    return await grouped(scope, QuoteVersion, _VERSION, "quote_version AS version", "version", "version.version DESC", quote_ids)


async def grouped(
    scope: Scope, model: type[T], json: str, source: str, table: str, order: str, quote_ids: Sequence[UUID]
) -> dict[UUID, list[T]]:
    rows = await fetch(
        scope,
        f"""
        SELECT {table}.quote_id, {json} AS value FROM {source}
        WHERE {table}.organization_id = $1 AND {table}.quote_id = ANY($2::uuid[]) AND {of_client(table)} ORDER BY {order}
        """,
        scope.organization_id,
        list(quote_ids),
    )
    found: dict[UUID, list[T]] = {quote_id: [] for quote_id in quote_ids}
    for row in rows:
        found[row["quote_id"]].append(msgspec.convert(row["value"], model))
    return found


async def organization(scope: Scope) -> tuple[str, str, str]:
    """The organization's name, address in links, and terms."""
    row = await fetch_row(scope, "SELECT name, slug, terms FROM organization WHERE id = $1", scope.organization_id)
    return (row["name"], row["slug"], row["terms"]) if row else ("", "", "")


async def touch(scope: Scope, quote_id: UUID, **values: Any) -> NewEvent:
    """Change columns of a locked quote and count its revision up. Returns what to tell the feed."""
    changes = "".join(f", {name} = ${place}" for place, name in enumerate(values, 3))
    (row,) = await fetch(
        scope,
        f"""
        UPDATE quote SET revision = revision + 1, updated_at = now(){changes}
        WHERE organization_id = $1 AND id = $2 AND {of_client("quote")}
        RETURNING id, revision, status, version, client_id
        """,
        scope.organization_id,
        quote_id,
        *values.values(),
    )
    return event_of(row)


def event_of(row: asyncpg.Record) -> NewEvent:
    """A quote has changed; from its id, revision, status, version and client_id."""
    return NewEvent("quote", row["id"], row["revision"], {"status": row["status"], "version": row["version"]}, row["client_id"])
