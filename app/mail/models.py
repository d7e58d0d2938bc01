"""What the mail service returns."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class MailStatus(StrEnum):
    """`kept` mails are for the console: there is no mail server."""

    QUEUED = "queued"
    SENT = "sent"
    KEPT = "kept"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail; links that sign in are cut out of its body once it is on its way."""

    id: UUID
    recipient: str
    subject: str
    body: str
    purpose: str
    status: MailStatus
    attempts: int
    error: str | None
    created_at: datetime
    sent_at: datetime | None
