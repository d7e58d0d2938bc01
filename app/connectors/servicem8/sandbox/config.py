"""How a sandbox is set up. Everything here can be given as JSON, so that a sandbox in another process gets the same."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
PositiveFloat = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
SeedKind = Literal["none", "demo", "companies", "jobs"]


class TaxRate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tax rate of the account; `percent` is text as on the wire ("10", "9.5"). The first of an account is its default."""

    name: str
    percent: str


class AccountConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ServiceM8 account: its keys, and what `vendor.json` says of it."""

    api_keys: tuple[str, ...] = ("smk-sandbox",)
    uuid: str = "5a2d8c10-0000-4000-8000-000000000001"
    name: str = "Sandbox Electrical"
    email: str = "office@sandbox-electrical.test"
    website: str = "https://sandbox-electrical.test"
    currency: str = "AUD"
    timezone_name: str = "Australia/Perth"
    country: str = "Australia"
    tax_rates: tuple[TaxRate, ...] = (TaxRate(name="GST", percent="10"), TaxRate(name="GST Free", percent="0"))


class SandboxConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sandbox imitates where the provider's facts leave a choice, and what it starts with.

    `limits_factor` multiplies both request limits; None switches them off.
    `clock_now` starts the clock at that moment; `clock_scale` is sandbox seconds per real second (0 stops it);
    `clock_offset_seconds` is added.
    """

    accounts: tuple[AccountConfig, ...] = (AccountConfig(),)
    page_size: PositiveInt = 1000
    limits_factor: PositiveFloat | None = 1.0
    json_limit_refusals: bool = False
    deleted_reads_answer_404: bool = True
    second_delete_restores: bool = True
    # In a live test of 2026-08-03 `ne` excluded no rows: nobody should build on it.
    ne_excludes: bool = False
    clock_now: datetime | None = None
    clock_scale: NotNegative = 1.0
    clock_offset_seconds: float = 0.0
    control: bool = False
    seed: SeedKind = "none"
    seed_count: PositiveInt = 1000


# What `/_control/settings` may change while the sandbox runs.
CHANGEABLE = frozenset(
    ("page_size", "limits_factor", "json_limit_refusals", "deleted_reads_answer_404", "second_delete_restores", "ne_excludes")
)


def changed_config(config: SandboxConfig, changes: dict[str, object]) -> SandboxConfig:
    """The configuration with those settings changed; ValueError for a setting that cannot change or a wrong value."""
    if unknown := sorted(set(changes) - CHANGEABLE):
        raise ValueError(f"These settings cannot be changed while the sandbox runs: {', '.join(unknown)}.")
    return msgspec.convert({**msgspec.to_builtins(config), **changes}, type=SandboxConfig)
