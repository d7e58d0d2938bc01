"""What the server does by itself when a record is written: numbers, stamps, totals, and the time of the edit.

The API and the staff user of the control routes both write through here. Values arrive already in wire form.
"""

from enum import StrEnum
from uuid import uuid4

from .amounts import total_of
from .schema import NO_TIME, STATUS_STAMPS
from .store import Account
from .table import Record, Table, Values


class Effect(StrEnum):
    """What a write did to its object. `NONE`: nothing besides its edit time."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"
    NONE = "none"


def create(account: Account, table: Table, values: Values) -> Record:
    """Add a record; `uuid` may be chosen by the client, `active` is 1 unless given."""
    now = account.now_text()
    full = {**table.type.blank(), "active": 1, **values, "uuid": values.get("uuid") or str(uuid4()), "edit_date": now}
    if table.type.name == "job":
        full |= {"generated_job_id": account.next_job_number(), "date": _date_or_today(full, now), **_stamps(values, {}, now)}
    if table.type.name == "note":
        full["create_date"] = now
    record = table.add(full)
    _settle(account, table, record.values)
    return record


def update(account: Account, table: Table, record: Record, values: Values) -> Effect:
    """Merge the given values. The edit time moves even when nothing else does."""
    before = dict(record.values)
    now = account.now_text()
    changed = {name: value for name, value in values.items() if before.get(name) != value}
    stamps = _stamps(changed, before, now) if table.type.name == "job" else {}
    table.change(record, {**changed, **stamps, "edit_date": values.get("edit_date", now)})
    _settle(account, table, before)
    _settle(account, table, record.values)
    return _effect(before, changed)


def delete(account: Account, table: Table, record: Record, *, restores: bool) -> Effect:
    """Deleting makes a record inactive; deleting it again brings it back where `restores` is set, as seen live."""
    if record.active:
        return update(account, table, record, {"active": 0})
    return update(account, table, record, {"active": 1}) if restores else Effect.NONE


def _effect(before: Values, changed: Values) -> Effect:
    if "active" in changed:
        return Effect.RESTORED if changed["active"] == 1 else Effect.DELETED
    return Effect.UPDATED if set(changed) - {"edit_date"} else Effect.NONE


def _date_or_today(job: Values, now: str) -> str:
    return now[:10] if str(job["date"]).startswith("0000") else job["date"]


def _stamps(changed: Values, before: Values, now: str) -> Values:
    """The times that belong to a job's new status and to a paper sent. A flag taken back empties its time (assumed)."""
    stamps = {}
    if changed.get("status") in STATUS_STAMPS:
        stamps[STATUS_STAMPS[changed["status"]]] = now
    for flag in ("quote_sent", "invoice_sent"):
        if flag in changed and changed[flag] != before.get(flag, 0):
            stamps[f"{flag}_stamp"] = now if changed[flag] == 1 else NO_TIME
    return stamps


def _settle(account: Account, table: Table, values: Values) -> None:
    """Bring what is reckoned from this record up to date. The parent's edit time stays as it is."""
    if table.type.name == "jobmaterial":
        settle_job(account, values["job_uuid"])
    elif table.type.name == "companycontact":
        settle_company(account, values["company_uuid"])
    elif table.type.name == "company":
        settle_company(account, values["uuid"])


def settle_job(account: Account, job_uuid: str) -> None:
    """Reckon a job's total from its lines."""
    if job := account.tables["job"].get(job_uuid):
        job.change({"total_invoice_amount": total_of(account, account.tables["jobmaterial"].referring("job_uuid", job_uuid))})


def settle_company(account: Account, company_uuid: str) -> None:
    """A company that bears the name of one of its contacts is a private person."""
    if company := account.tables["company"].get(company_uuid):
        contacts = account.tables["companycontact"].referring("company_uuid", company_uuid)
        names = {f"{one.values['first']} {one.values['last']}".strip() for one in contacts if one.active}
        company.change({"is_individual": "1" if company.values["name"] in names - {""} else "0"})


def settle_all(account: Account) -> None:
    """Reckon everything, after a seed put records in as they are."""
    for job_uuid in {one.values["job_uuid"] for one in account.tables["jobmaterial"]}:
        settle_job(account, job_uuid)
    for company_uuid in {one.values["company_uuid"] for one in account.tables["companycontact"]}:
        settle_company(account, company_uuid)
