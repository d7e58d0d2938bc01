"""Failed records, grouped by what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.syncs.models import FailedRecord


@dataclass(frozen=True, slots=True)
class Cause:
    """What is wrong, and with which records."""

    message: str
    stage: str
    fix_by: str
    records: list[FailedRecord]

    @property
    def count(self) -> int:
        return len(self.records)

    @property
    def example(self) -> FailedRecord:
        return self.records[0]


def causes_of(records: Iterable[FailedRecord]) -> list[Cause]:
    """The most frequent cause first."""
    groups: dict[tuple[str, str], list[FailedRecord]] = {}
    for record in records:
        groups.setdefault((record.error_code, record.message), []).append(record)
    causes = [Cause(message, found[0].stage, found[0].fix_by, found) for (_, message), found in groups.items()]
    return sorted(causes, key=lambda cause: -cause.count)
