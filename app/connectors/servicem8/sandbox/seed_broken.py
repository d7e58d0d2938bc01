"""Records as years of other programs leave them behind: a reader must name each as failed and go on with the rest."""

from .seed_makers import Maker
from .table import Values

# Type, what is wrong, and the values that make it so. A company or job that has no such part is sound.
BROKEN_COMPANIES: tuple[tuple[str, Values], ...] = (
    ("an empty name", {"name": ""}),
    ("no name at all", {"name": None}),
    ("a name of 5,000 characters", {"name": "Very Long Name " * 333 + "Ltd"}),
    ("a list where the name belongs", {"name": ["Acme", "Pty Ltd"]}),
)
BROKEN_JOBS: tuple[tuple[str, Values], ...] = (
    ("a status that nobody knows", {"status": "Parked"}),
    ("an empty status", {"status": ""}),
    ("a date that is no date", {"date": "2026-02-31"}),
    ("a total that is not a number", {"total_invoice_amount": "NaN"}),
)
BROKEN_LINES: tuple[tuple[str, Values], ...] = (
    ("a line whose price is not a number", {"price": "NaN", "displayed_amount": "NaN"}),
    ("a line whose quantity is in words", {"quantity": "a few"}),
)


def add_broken_records(maker: Maker) -> list[dict[str, str]]:
    """Add ten companies and jobs that cannot be right; each is listed with its type, id and what is wrong with it."""
    tables = maker.account.tables
    client = maker.company(1)
    companies = [maker.company(number) | wrong for number, (_, wrong) in enumerate(BROKEN_COMPANIES, start=1)]
    jobs = [maker.job(client, "Quote") | wrong for _, wrong in BROKEN_JOBS]
    jobs_of_lines = [maker.job(client, "Quote") for _ in BROKEN_LINES]
    lines = [maker.line(job, 1) | wrong for job, (_, wrong) in zip(jobs_of_lines, BROKEN_LINES, strict=True)]
    tables["company"].add_many([client, *companies])
    tables["job"].add_many(jobs + jobs_of_lines)
    tables["jobmaterial"].add_many(lines)
    return _listed("company", companies, BROKEN_COMPANIES) + _listed("job", jobs + jobs_of_lines, BROKEN_JOBS + BROKEN_LINES)


def _listed(object: str, records: list[Values], wrongs: tuple[tuple[str, Values], ...]) -> list[dict[str, str]]:
    return [{"object": object, "uuid": record["uuid"], "wrong": wrong} for record, (wrong, _) in zip(records, wrongs, strict=True)]
