"""Everything the sandbox remembers: accounts by key, each with its own records, time zone and tax rates."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from .clock import Clock
from .config import AccountConfig
from .schema import OBJECT_TYPES, TAX_RATE, VENDOR
from .table import Record, Table, Values

FIRST_JOB_NUMBER = 1001


@dataclass
class Account:
    """One ServiceM8 account."""

    config: AccountConfig
    clock: Clock
    zone: ZoneInfo = field(init=False)
    tables: dict[str, Table] = field(init=False)
    last_job_number: int = field(init=False, default=FIRST_JOB_NUMBER - 1)

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.config.timezone_name)
        self.tables = {name: Table(one) for name, one in OBJECT_TYPES.items()}
        self.tables["vendor"].add(self._vendor())
        self.tables["taxrate"].add_many(self._tax_rates())

    def now_text(self) -> str:
        return self.clock.local_text(self.zone)

    def next_job_number(self) -> str:
        self.last_job_number += 1
        return str(self.last_job_number)

    def default_tax_rate(self) -> str:
        """The id of the account's default tax rate, or an empty text."""
        rates = (one.uuid for one in self.tables["taxrate"] if one.values["is_default_tax_rate"] == "1")
        return next(rates, "")

    def rate_of(self, tax_rate_uuid: str) -> Decimal:
        """The rate as a fraction (0.1 for 10 %). That an empty reference means the account's default rate is assumed."""
        rate = self.tables["taxrate"].get(tax_rate_uuid or self.default_tax_rate())
        try:
            return Decimal(str(rate.values["amount"])) / 100 if rate else Decimal(0)
        except InvalidOperation:
            return Decimal(0)

    def _vendor(self) -> Values:
        config = self.config
        return {
            **VENDOR.blank(),
            "uuid": config.uuid,
            "active": 1,
            "edit_date": self.now_text(),
            "name": config.name,
            "email": config.email,
            "website": config.website,
            "currency": config.currency,
            "timezone_name": config.timezone_name,
            "job_default_status": "Quote",
            "default_region": config.country,
        }

    def _tax_rates(self) -> list[Values]:
        return [
            {
                **TAX_RATE.blank(),
                "uuid": derived_uuid(self.config.uuid, "taxrate", rate.name),
                "active": 1,
                "edit_date": self.now_text(),
                "name": rate.name,
                "amount": rate.percent,
                "is_default_tax_rate": "1" if number == 0 else "0",
            }
            for number, rate in enumerate(self.config.tax_rates)
        ]


class Store:
    """The accounts of the sandbox."""

    def __init__(self, accounts: tuple[AccountConfig, ...], clock: Clock) -> None:
        self.clock = clock
        self.configs = accounts
        self.clear()

    def clear(self) -> None:
        """Forget every record; accounts keep what their configuration says."""
        self.accounts = [Account(config, self.clock) for config in self.configs]
        self.by_key = {key: account for account in self.accounts for key in account.config.api_keys}

    def find(self, name: str, uuid: str) -> tuple[Account, Record] | None:
        """A record by type and id, in whichever account has it."""
        for account in self.accounts:
            if record := account.tables[name].get(uuid):
                return account, record
        return None


def derived_uuid(*parts: str) -> str:
    """The same id for the same parts, so that a restarted sandbox names things as before."""
    return str(uuid5(NAMESPACE_URL, "/".join(parts)))


def is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
