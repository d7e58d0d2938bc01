"""The short lists of an account: staff, categories, queues, badges, catalogue."""

from datetime import timedelta

from .schema import OBJECT_TYPES
from .seed_makers import latest_edit
from .store import Account, derived_uuid
from .table import Values

DAYS_UNTOUCHED = timedelta(days=300)
STAFF = (("Maja", "Kralj", "Electrician"), ("Liam", "O'Brien", "Office"), ("יעל", "לוי", "Apprentice"))
CATEGORIES = (("Residential", "4a90d9"), ("Commercial", "d98a4a"), ("Emergency", "d0021b"))
QUEUES = (("Waiting for parts", "7"), ("Awaiting reply", "14"))
BADGES = ("VIP", "Dog on site 🐕", "Pays late")
MATERIALS = (("Safety switch", "SW-01", "64.9000"), ("Downlight 9 W", "LED-09", "38.2500"), ("Cable 2.5 mm²", "TPS-25", "3.1500"))


def add_small_lists(account: Account) -> None:
    """Add the lists, unless the account has them already."""
    if len(account.tables["staff"]):
        return
    domain = account.config.email.partition("@")[2]
    for first, last, title in STAFF:
        _add(account, "staff", last, first=first, last=last, job_title=title, email=f"{title.lower()}@{domain}")
    for name, colour in CATEGORIES:
        _add(account, "category", name, name=name, colour=colour)
    for name, days in QUEUES:
        _add(account, "queue", name, name=name, default_timeframe=days)
    for name in BADGES:
        _add(account, "badge", name, name=name)
    for name, number, price in MATERIALS:
        _add(account, "material", number, name=name, item_number=number, price=price, tax_rate_uuid=account.default_tax_rate())


def _add(account: Account, table: str, named: str, **values: str) -> Values:
    full = OBJECT_TYPES[table].blank() | values | {
        "uuid": derived_uuid(account.config.uuid, table, named),
        "active": 1,
        "edit_date": str(latest_edit(account) - DAYS_UNTOUCHED),
    }  # fmt: skip
    return account.tables[table].add(full).values
