"""How a sandbox is set up. Everything here can be given as JSON, so that a sandbox in another process gets the same."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class CompanyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Metakocka company: who may ask, and the registers that its people keep. Nothing in `allowed_ips` allows all.

    The first warehouse mark and profit center are the company's defaults.
    """

    company_id: str = "16"
    secret_key: str = "mk-sandbox-secret"
    name: str = "Sandbox d.o.o."
    allowed_ips: tuple[str, ...] = ()
    users: tuple[str, ...] = ("pisarna@sandbox.test",)
    profit_centers: tuple[str, ...] = ("Glavni", "Servis")
    delivery_types: tuple[str, ...] = ("Lasten prevzem", "Dostava", "Kurirska služba")
    payment_types: tuple[str, ...] = ("Transakcijski račun", "Gotovina", "Kartica", "PayPal")


class Sizes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many records of each kind every company starts with."""

    partners: Count = 1200
    offers: Count = 150
    orders: Count = 200
    bills: Count = 150
    products: Count = 300


class SandboxConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sandbox imitates where the provider's facts leave a choice, and what it starts with.

    `seed` chooses other records of the same kinds. `broken_records` puts some among them that no reader can take as they are.
    Limits are None when off; they and all seconds are the sandbox's, which its clock may make shorter.
    """

    companies: tuple[CompanyConfig, ...] = (CompanyConfig(),)
    seed: int = 1
    sizes: Sizes = Sizes()
    broken_records: bool = True
    # Lists that the vendor's samples show as a bare object when they hold one element, or every list.
    single_lists_as_objects: Literal["none", "documented", "all"] = "documented"
    comma_decimals: bool = False
    query_sees_title: bool = False
    # Only on a server of its own does the header searchGroup give parallel lanes.
    standalone: bool = False
    fiscal_registers: bool = False
    partner_page: PositiveInt = 1000
    quota_per_minute: PositiveInt | None = None
    requests_per_second: PositiveInt | None = None
    concurrent_calls: PositiveInt | None = None
    search_seconds: NotNegative = 0.0
    create_invoice_seconds: NotNegative = 47.0
    webhook_retry_seconds: NotNegative = 60.0
    clock_now: datetime | None = None
    clock_scale: NotNegative = 1.0
    clock_offset_seconds: float = 0.0
    control: bool = False


FIXED = frozenset(("companies", "seed", "sizes", "broken_records", "clock_now", "clock_scale", "clock_offset_seconds", "control"))
# What `/sandbox/settings` may change while the sandbox runs.
CHANGEABLE = frozenset(SandboxConfig.__struct_fields__) - FIXED


def changed_config(config: SandboxConfig, changes: dict[str, object]) -> SandboxConfig:
    """The configuration with those settings changed; ValueError for a setting that cannot change or a wrong value."""
    if unknown := sorted(set(changes) - CHANGEABLE):
        raise ValueError(f"These settings cannot be changed while the sandbox runs: {', '.join(unknown)}.")
    return msgspec.convert({**msgspec.to_builtins(config), **changes}, type=SandboxConfig)
