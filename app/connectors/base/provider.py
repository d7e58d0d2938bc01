"""Everything the hub knows of a provider."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from app.connectors.base.actions import Action
from app.connectors.base.sessions import Account, Session
from app.connectors.base.streams import Stream

if TYPE_CHECKING:
    from app.connectors.client import ApiClient


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a form needs to know of one setting; the console draws its form from these."""

    name: str
    title: str
    help: str = ""
    kind: str = "text"
    """text, secret, url, integer, seconds, boolean, choice"""
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    sandbox: Any = None
    """What the provider's sandbox takes here; "try with a sandbox" fills the form with it."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`requests` in `seconds`; `reserved` of them may only be used by decisions."""

    name: str
    requests: int
    seconds: int
    reserved: int


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """A version of the provider's API and its announced end of life (ISO date), where there is one."""

    name: str
    end_of_life: str | None = None


@dataclass(frozen=True, kw_only=True)
class Connector:
    """Everything the hub knows of a provider. The registry finds one in each folder."""

    provider: str
    title: str
    description: str
    settings: tuple[Setting, ...]
    settings_class: type
    """A msgspec.Struct; its fields that are `kind="secret"` above are sealed and never shown."""
    rate_limits: tuple[RateLimit, ...]
    api_versions: tuple[ApiVersion, ...]
    documentation_url: str
    streams: Mapping[str, Stream]
    actions: Mapping[str, Action]
    make_client: Callable[..., "ApiClient"]
    """(settings, transport, budget, log, *, priority="bulk") → an authorised ApiClient; see app/connectors/client.py."""
    check: Callable[[Session], Awaitable[Account]]
    """A real exchange that proves the credentials. Raises ConnectorError."""
    limits_of: Callable[[Any], tuple[RateLimit, ...]] | None = None
    """Where the limits are a matter of settings: those of these settings. `rate_limits` are those of the settings' defaults."""

    def limits(self, settings: Any) -> tuple[RateLimit, ...]:
        """The limits of a connection with these settings."""
        return self.limits_of(settings) if self.limits_of else self.rate_limits

    @property
    def secret_names(self) -> frozenset[str]:
        return frozenset(setting.name for setting in self.settings if setting.kind == "secret")
