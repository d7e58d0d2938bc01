"""The demo's records and the bulk ones: realistic, always the same, and quick."""

import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.connectors.servicem8.sandbox import SandboxConfig, demo_config
from app.connectors.servicem8.sandbox.clock import Clock
from app.connectors.servicem8.sandbox.seed import seed_companies, seed_demo, seed_jobs
from app.connectors.servicem8.sandbox.store import Store

Tables = list[dict[str, list[dict[str, Any]]]]


def _filled(**sizes: int) -> tuple[Tables, dict[str, Any]]:
    store = Store(demo_config().accounts, Clock())
    summary = seed_demo(store, **sizes)
    return [{name: [one.values for one in table] for name, table in account.tables.items()} for account in store.accounts], summary


@pytest.fixture(scope="module")
def demo() -> tuple[Tables, dict[str, Any]]:
    return _filled()


@pytest.mark.alone
def test_the_demo_is_quick_and_has_the_numbers_asked_for():
    began = time.perf_counter()
    _, summary = _filled()

    assert time.perf_counter() - began < 1.5
    assert (summary["company"], summary["job"], summary["quote"]) == (2000, 5000, 300)
    assert 2000 < summary["companycontact"] < 6000


def test_the_same_seed_gives_the_same_records_and_another_gives_others():
    def known(tables: Tables) -> list[Any]:
        return [account[name] for account in tables for name in ("company", "companycontact", "job", "jobmaterial", "note", "staff")]

    small = {"companies": 60, "jobs": 80, "quotes": 20}

    assert known(_filled(**small)[0]) == known(_filled(**small)[0])
    assert known(_filled(**small)[0]) != known(_filled(**small, seed=9)[0])


def test_there_are_two_accounts_in_two_currencies_and_zones(demo: tuple[Tables, dict[str, Any]]):
    vendors = [account["vendor"][0] for account in demo[0]]

    assert [(one["currency"], one["timezone_name"]) for one in vendors] == [("AUD", "Australia/Perth"), ("EUR", "Europe/Ljubljana")]
    assert all(sum(job["status"] == "Quote" for job in account["job"]) >= 100 for account in demo[0])


def test_names_are_in_many_scripts_unique_and_of_a_legal_length(demo: tuple[Tables, dict[str, Any]]):
    broken = {one["uuid"] for one in demo[1]["broken"]}
    for account in demo[0]:
        names = [one["name"] for one in account["company"] if one["uuid"] not in broken]
        assert len({name.casefold() for name in names}) == len(names)
        assert all(0 < len(name) <= 100 for name in names)
    everything = "".join(one["name"] for account in demo[0] for one in account["company"] if isinstance(one["name"], str))

    assert set("čšžČŠŽ☕🌸") <= set(everything)
    assert any("\u0590" < letter < "\u05ff" for letter in everything)
    assert any("\u0600" < letter < "\u06ff" for letter in everything)


def test_companies_have_one_to_three_contacts_some_are_persons_and_some_archived(demo: tuple[Tables, dict[str, Any]]):
    for account in demo[0]:
        companies = [one for one in account["company"] if one["uuid"] in {each["company_uuid"] for each in account["companycontact"]}]
        contacts = Counter(one["company_uuid"] for one in account["companycontact"])
        assert set(contacts.values()) == {1, 2, 3}
        assert 0.15 < sum(one["is_individual"] == "1" for one in companies) / len(companies) < 0.25
        assert 0.01 < sum(one["active"] == 0 for one in companies) / len(companies) < 0.06
        assert all("@" in one["email"] for one in account["companycontact"])


def test_quotes_have_one_to_twelve_lines_of_both_kinds_and_totals_add_up(demo: tuple[Tables, dict[str, Any]]):
    broken = {one["uuid"] for one in demo[1]["broken"]}
    for account in demo[0]:
        rates = {one["uuid"]: 1 + Decimal(one["amount"]) / 100 for one in account["taxrate"]}
        totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        counts: Counter[str] = Counter()
        for line in account["jobmaterial"]:
            if line["job_uuid"] in broken:
                continue
            with_tax = line["displayed_amount_is_tax_inclusive"] == "1"
            unit = Decimal(line["displayed_amount"]) if with_tax else Decimal(line["price"]) * rates[line["tax_rate_uuid"]]
            totals[line["job_uuid"]] += Decimal(line["quantity"]) * unit
            counts[line["job_uuid"]] += 1
        quotes = [job for job in account["job"] if job["status"] == "Quote" and job["uuid"] not in broken]
        assert {counts[job["uuid"]] for job in quotes} == set(range(1, 13))
        assert all(abs(Decimal(job["total_invoice_amount"]) - totals[job["uuid"]]) <= Decimal("0.005") for job in quotes)
        assert {line["displayed_amount_is_tax_inclusive"] for line in account["jobmaterial"]} == {"0", "1"}
        assert any(Decimal(line["quantity"]) % 1 for line in account["jobmaterial"])
        assert any(len(job["job_description"]) > 1000 for job in account["job"])


def test_ten_records_are_broken_and_said_to_be(demo: tuple[Tables, dict[str, Any]]):
    tables, summary = demo
    records = {one["uuid"]: one for name in ("company", "job") for one in tables[0][name]}

    assert len(summary["broken"]) == 10
    assert all(one["uuid"] in records for one in summary["broken"])
    assert {one["wrong"] for one in summary["broken"]} >= {"an empty name", "a status that nobody knows"}


def test_nothing_was_edited_after_the_seeds_own_day(demo: tuple[Tables, dict[str, Any]]):
    edits = [one["edit_date"] for account in demo[0] for name in ("company", "job", "jobmaterial") for one in account[name]]

    assert "2025" < min(edits) < max(edits) <= "2026-11-01 17:00:00"


def test_a_demo_added_to_a_demo_makes_other_records():
    store = Store(demo_config().accounts, Clock())
    for _ in range(2):
        seed_demo(store, companies=50, jobs=50, quotes=10)

    for account in store.accounts:
        for table in account.tables.values():
            assert len({one.uuid for one in table}) == len(list(table)) == len(table)


def test_a_seed_is_older_than_the_clock_even_when_the_clock_is_set_back():
    store = Store(demo_config().accounts, Clock(now=datetime(2025, 3, 1, tzinfo=UTC)))
    seed_demo(store, companies=50, jobs=50, quotes=10)

    for account in store.accounts:
        edits = [one.values["edit_date"] for name in ("company", "job", "jobmaterial", "staff") for one in account.tables[name]]
        assert max(edits) < account.now_text()


@pytest.mark.alone
def test_many_companies_are_made_quickly_and_more_can_follow():
    store = Store(SandboxConfig().accounts, Clock())
    began = time.perf_counter()
    seed_companies(store, 20_000)
    seed_companies(store, 500, contacts_each=2)
    seed_jobs(store, 50, lines_each=2)

    tables = store.accounts[0].tables
    assert time.perf_counter() - began < 3
    assert (len(tables["company"]), len(tables["companycontact"]), len(tables["job"]), len(tables["jobmaterial"])) == (
        20_501,
        1000,
        50,
        100,
    )
    assert len({one.values["name"].casefold() for one in tables["company"]}) == 20_501
