"""A clock that a test sets, and services that go by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app import database
from app.organizations.service import OrganizationService


@dataclass
class Clock:
    """Called, it says the time; `advance` moves it."""

    time: datetime

    @classmethod
    def at_now(cls) -> "Clock":
        return cls(datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **values: float) -> None:
        self.time += timedelta(**values)


def by_clock(service: OrganizationService, clock: Clock) -> OrganizationService:
    """The same service with another clock."""
    return replace(service, now=clock)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """What is sent to the database meanwhile, one entry for each round trip."""
    sent: list[str] = []

    def note(record: object) -> None:
        sent.append(record.query)  # type: ignore[attr-defined]

    connections = [holder._con for holder in database._pool()._holders if holder._con is not None]
    for connection in connections:
        connection.add_query_logger(note)
    try:
        yield sent
    finally:
        for connection in connections:
            connection.remove_query_logger(note)
