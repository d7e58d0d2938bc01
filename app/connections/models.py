"""What the connection service returns. No secret is in any of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.connectors.base import Account
from app.errors import FixBy


class ConnectionMode(StrEnum):
    """A sandbox connection points at an imitation of the provider and is never mixed with real data."""

    LIVE = "live"
    SANDBOX = "sandbox"


class ConnectionStatus(StrEnum):
    UNTESTED = "untested"
    ACTIVE = "active"
    NEEDS_ATTENTION = "needs_attention"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class CredentialHint:
    """What may be shown of a secret."""

    last_four: str
    """Empty for a secret so short that its end would give it away."""
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Connection:
    """One authorised account at a provider."""

    id: UUID
    organization_id: UUID
    provider: str
    name: str
    mode: ConnectionMode
    settings: Mapping[str, Any]
    """Everything but the secrets."""
    credential_hints: Mapping[str, CredentialHint]
    account: Account | None
    """None before the first successful test."""
    status: ConnectionStatus
    status_message: str | None
    paused_until: datetime | None
    tested_at: datetime | None
    """When it last proved itself with its present address and credentials; None when it must do so first."""
    last_synced_at: datetime | None
    version: int
    """Counts the changes that people make; a change names the version that it was made from."""
    revision: int
    """Counts every change, of the status too."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What a real exchange with the provider showed."""

    ok: bool
    message: str
    duration_ms: float
    account: Account | None = None
    code: str | None = None
    """The error's code when it is not ok."""
    fix_by: FixBy | None = None


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One request to a provider, as it was on the wire."""

    id: UUID
    connection_id: UUID | None
    """None: settings were tried out before they became a connection."""
    sync_run_id: UUID | None
    delivery_id: UUID | None
    method: str
    url: str
    status: int | None
    """None: no answer came."""
    attempt: int
    duration_ms: float
    waited_ms: float
    bytes_received: int
    error: str | None
    called_at: datetime
