"""Fills a store: a demo of two accounts, or many records of one kind for measurements. The same seed gives the same records."""

from collections import Counter
from random import Random
from typing import Any

import msgspec

from .changes import settle_all
from .config import AccountConfig, SandboxConfig, SeedKind, TaxRate
from .seed_broken import add_broken_records
from .seed_lists import add_small_lists
from .seed_makers import Maker
from .store import Store, derived_uuid

SEED = 8
DEMO_ACCOUNTS = (
    AccountConfig(
        api_keys=("smk-demo-perth", "smk-sandbox"),
        uuid=derived_uuid("servicem8 sandbox", "perth"),
        name="Sandgroper Electrical",
        email="office@sandgroper.test",
        website="https://sandgroper.test",
    ),
    AccountConfig(
        api_keys=("smk-demo-ljubljana",),
        uuid=derived_uuid("servicem8 sandbox", "ljubljana"),
        name="Elektro Žarek d.o.o.",
        email="pisarna@zarek.test",
        website="https://zarek.test",
        currency="EUR",
        timezone_name="Europe/Ljubljana",
        country="Slovenia",
        tax_rates=(TaxRate(name="DDV 22 %", percent="22"), TaxRate(name="DDV 9,5 %", percent="9.5"), TaxRate(name="Brez DDV", percent="0")),
    ),
)
FIRST_ACCOUNT_SHARE = 0.6
OTHER_STATUSES = ("Work Order", "Work Order", "Completed", "Completed", "Completed", "Unsuccessful")
Summary = dict[str, Any]


def seed(store: Store, kind: SeedKind, count: int) -> Summary:
    """Add what a configuration or a control request names."""
    if kind == "demo":
        return seed_demo(store)
    if kind == "companies":
        return seed_companies(store, count)
    if kind == "jobs":
        return seed_jobs(store, count)
    return {}


def seed_demo(store: Store, *, seed: int = SEED, companies: int = 2000, jobs: int = 5000, quotes: int = 300) -> Summary:
    """Fill all accounts; the numbers are for all together, the first account gets 60 %. `quotes` of the `jobs` are quotes.

    The first account also gets ten records that cannot be right; the answer lists them under `broken`.
    """
    chance = _chance(store, f"demo {seed}")
    counts: Counter[str] = Counter()
    shares = _shares(len(store.accounts))
    for account, share in zip(store.accounts, shares, strict=True):
        counts += _fill(Maker(account, chance), *(round(number * share) for number in (companies, jobs, quotes)))
        add_small_lists(account)
        settle_all(account)
    return {**counts, "broken": add_broken_records(Maker(store.accounts[0], chance))}


def seed_companies(store: Store, count: int, *, contacts_each: int = 0, seed: int = SEED) -> Summary:
    """Add that many companies to the first account."""
    maker = Maker(store.accounts[0], _chance(store, f"companies {seed}"))
    companies = [maker.company(number) for number in range(count)]
    maker.account.tables["company"].add_many(companies)
    contacts = [maker.contact(company, place) for company in companies for place in range(contacts_each)]
    maker.account.tables["companycontact"].add_many(contacts)
    return {"company": count, "companycontact": len(contacts)}


def seed_jobs(store: Store, count: int, *, lines_each: int = 3, seed: int = SEED) -> Summary:
    """Add that many quotes to the first account, for one new company."""
    maker = Maker(store.accounts[0], _chance(store, f"jobs {seed}"))
    company = maker.company(1)
    maker.account.tables["company"].add_many([company])
    jobs = [maker.job(company, "Quote") for _ in range(count)]
    lines = [maker.line(job, place) for job in jobs for place in range(1, lines_each + 1)]
    maker.account.tables["job"].add_many(jobs)
    maker.account.tables["jobmaterial"].add_many(lines)
    settle_all(maker.account)
    return {"company": 1, "job": count, "jobmaterial": len(lines)}


def _chance(store: Store, named: str) -> Random:
    """The same for the same wish on the same store; a wish repeated on a fuller store makes other records."""
    held = sum(len(table) for account in store.accounts for table in account.tables.values())
    return Random(f"{named}, {held} records before")


def _shares(accounts: int) -> list[float]:
    if accounts == 1:
        return [1.0]
    return [FIRST_ACCOUNT_SHARE] + [(1 - FIRST_ACCOUNT_SHARE) / (accounts - 1)] * (accounts - 1)


def _fill(maker: Maker, companies: int, jobs: int, quotes: int) -> Counter[str]:
    chance, tables = maker.chance, maker.account.tables
    clients = [maker.company(number) for number in range(companies)]
    contacts = [maker.contact(one, place) for one in clients for place in range(chance.randint(1, 3))]
    statuses = ["Quote"] * quotes + [chance.choice(OTHER_STATUSES) for _ in range(jobs - quotes)]
    chance.shuffle(statuses)
    work = [maker.job(chance.choice(clients), status) for status in statuses] if clients else []
    lines = [maker.line(job, place) for job in work for place in range(1, _line_count(chance, job["status"]) + 1)]
    notes = [maker.note(job) for job in work if chance.random() < 0.05]
    made = {"company": clients, "companycontact": contacts, "job": work, "jobmaterial": lines, "note": notes}
    for name, records in made.items():
        tables[name].add_many(records)
    return Counter({"quote": statuses.count("Quote")} | {name: len(records) for name, records in made.items()})


def _line_count(chance: Random, status: str) -> int:
    return chance.randint(1, 12) if status == "Quote" else chance.randint(0, 3)


def demo_config(*api_keys: str) -> SandboxConfig:
    """A sandbox with the demo's records, its control routes on; the given keys, in order, replace the accounts' own."""
    return SandboxConfig(accounts=_demo_accounts(api_keys), control=True, seed="demo")


def _demo_accounts(api_keys: tuple[str, ...]) -> tuple[AccountConfig, ...]:
    keys = [(key,) for key in api_keys] + [one.api_keys for one in DEMO_ACCOUNTS[len(api_keys) :]]
    return tuple(msgspec.structs.replace(one, api_keys=own) for one, own in zip(DEMO_ACCOUNTS, keys, strict=False))
