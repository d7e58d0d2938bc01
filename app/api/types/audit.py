"""The audit log, as GraphQL shows it."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, Shape
from app.audit import models


@strawberry.type(description="One change that somebody made. Entries are chained: none can be changed or removed unseen.")
class AuditEntry:
    sequence: int = strawberry.field(description="Its place in the log.")
    event: str = strawberry.field(description="What happened, like `quote.approved`.")
    subject_id: str | None = strawberry.field(description="The plain id of what it happened to.")
    actor_name: str = strawberry.field(description="The name of who did it, as it was then.")
    actor_kind: str = strawberry.field(description="How they had proved who they are, like `api_token`.")
    ip: str | None = strawberry.field(description="The address that the request came from.")
    user_agent: str | None = strawberry.field(description="The program that the request came from.")
    data: JSON = strawberry.field(description="What exactly happened. No secret is in it.")
    happened_at: datetime = strawberry.field(description="When it happened.")

    @classmethod
    def of(cls, entry: models.AuditEntry) -> Self:
        return cls(
            sequence=entry.sequence,
            event=entry.event,
            subject_id=None if entry.subject_id is None else str(entry.subject_id),
            actor_name=str(entry.actor.get("name", "")),
            actor_kind=str(entry.actor.get("kind", "")),
            ip=entry.ip,
            user_agent=entry.user_agent,
            data=entry.data,
            happened_at=entry.happened_at,
        )


reads.declare(
    "AuditEntry",
    Shape(
        {
            "subject_id": Expression("({row}.subject_id)::text"),
            "actor_name": reads.json_text("name", column="actor", default=""),
            "actor_kind": reads.json_text("kind", column="actor", default=""),
        },
        table="audit_entry",
        permission=Permission.READ_AUDIT,
        by_client=True,
    ),
)
