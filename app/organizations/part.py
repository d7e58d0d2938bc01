"""What the parts of the organization service have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from app.settings import Settings

if TYPE_CHECKING:
    from app.audit.service import AuditService
    from app.mail.service import MailService


@dataclass(eq=False)
class Part:
    """The resources of the service; each part of it adds methods on one subject."""

    settings: Settings
    audit: "AuditService"
    mail: "MailService"
    redis: "Redis | None"
    """Counts requests for links; None counts in Postgres only."""
    now: Callable[[], datetime]
