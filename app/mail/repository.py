"""Every query on mails."""

from datetime import datetime
from uuid import UUID

from app.actors import Scope
from app.database import execute, fetch, fetch_row
from app.mail.models import Mail, MailStatus

_MAIL = "id, recipient, subject, body, purpose, status, attempts, error, created_at, sent_at"


async def add(
    scope: Scope,
    mail_id: UUID,
    *,
    recipient: str,
    subject: str,
    body: str,
    purpose: str,
    status: MailStatus,
    now: datetime,
    unless_since: datetime | None,
) -> bool:
    """Whether it was added; not when one for the same purpose was written since `unless_since`."""
    added = await execute(
        scope,
        """
        INSERT INTO mail (id, organization_id, recipient, subject, body, purpose, status, created_at, next_attempt_at)
        SELECT $2, $1, $3, $4, $5, $6, $7, $8, $8
        WHERE $9::timestamptz IS NULL OR NOT EXISTS (
            SELECT FROM mail WHERE organization_id = $1 AND recipient = $3 AND purpose = $6 AND created_at > $9)
        """,
        scope.organization_id,
        mail_id,
        recipient,
        subject,
        body,
        purpose,
        status,
        now,
        unless_since,
    )
    return added == 1


async def operators(scope: Scope) -> list[str]:
    """The addresses of those who look after connections. Read in the whole organization's scope only."""
    rows = await fetch(
        scope,
        "SELECT email FROM person WHERE organization_id = $1 AND role IN ('owner', 'operator') AND disabled_at IS NULL ORDER BY email",
        scope.organization_id,
    )
    return [row["email"] for row in rows]


async def claim(scope: Scope, mail_id: UUID, *, now: datetime, lease_until: datetime) -> Mail | None:
    """A mail that is due; nobody else gets it before `lease_until`."""
    row = await fetch_row(
        scope,
        f"""
        UPDATE mail SET attempts = attempts + 1, next_attempt_at = $4
        WHERE organization_id = $1 AND id = $2 AND status = 'queued' AND next_attempt_at <= $3
        RETURNING {_MAIL}
        """,
        scope.organization_id,
        mail_id,
        now,
        lease_until,
    )
    return _mail(row) if row else None


async def finish(scope: Scope, mail: Mail, status: MailStatus, *, body: str, error: str | None, sent_at: datetime | None) -> None:
    """The outcome of this attempt; an attempt that was overtaken by a later one writes nothing."""
    await execute(
        scope,
        """
        UPDATE mail SET status = $4, body = $5, error = $6, sent_at = $7
        WHERE organization_id = $1 AND id = $2 AND attempts = $3 AND status = 'queued'
        """,
        scope.organization_id,
        mail.id,
        mail.attempts,
        status,
        body,
        error,
        sent_at,
    )


async def postpone(scope: Scope, mail: Mail, *, error: str, until: datetime) -> None:
    await execute(
        scope,
        """
        UPDATE mail SET error = $4, next_attempt_at = $5
        WHERE organization_id = $1 AND id = $2 AND attempts = $3 AND status = 'queued'
        """,
        scope.organization_id,
        mail.id,
        mail.attempts,
        error,
        until,
    )


async def page(scope: Scope, *, status: MailStatus, first: int, after: UUID | None) -> list[Mail]:
    """Newest first; one more than `first`, to see whether there are more."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_MAIL} FROM mail
        WHERE organization_id = $1 AND status = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4
        """,
        scope.organization_id,
        status,
        after,
        first + 1,
    )
    return [_mail(row) for row in rows]


def _mail(row: object) -> Mail:
    values = dict(row)  # type: ignore[call-overload]  # asyncpg carries no types
    return Mail(**(values | {"status": MailStatus(values["status"])}))
