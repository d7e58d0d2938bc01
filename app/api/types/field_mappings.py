"""How a stream of a connection is translated, and what another translation would do, as GraphQL shows them."""

from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Self

import strawberry
from strawberry.scalars import JSON

from app.api.enums import enum
from app.connectors import base
from app.mappings import field_models as models


@enum(
    "Which way a row counts.",
    PULL="From the provider to the hub only.",
    BOTH="Both ways: the field is written to the provider as well.",
)
class FieldDirection(Enum):
    PULL = "pull"
    BOTH = "both"


@strawberry.type(description="Where one field of a record comes from, and how.")
class FieldRow:
    target: str = strawberry.field(description="The field, as `RecordVersion.data` names it.")
    path: str = strawberry.field(
        description="The place in the provider's document: a dotted path, or an expression for a row that only pulls."
    )
    transforms: list[list[str]] = strawberry.field(description="What is done to the value, in order: each a name with its arguments.")
    default: JSON | None = strawberry.field(description="What counts where there is no value.")
    required: bool = strawberry.field(description="Whether an object without a value cannot be taken over.")
    direction: FieldDirection = strawberry.field(description="Which way the row counts.")

    @classmethod
    def of(cls, row: base.FieldRow) -> Self:
        return cls(
            target=row.target,
            path=row.path,
            transforms=[list(transform) for transform in row.transforms],
            default=row.default,
            required=row.required,
            direction=FieldDirection(row.direction),
        )


@strawberry.input(description="Where one field of a record is to come from, and how.")
class FieldRowInput:
    target: str = strawberry.field(description="The field, as `RecordVersion.data` names it.")
    path: str = strawberry.field(description="The place in the provider's document.")
    transforms: list[list[str]] = strawberry.field(
        default_factory=list, description="What is done to the value, each a name with its arguments."
    )
    default: JSON | None = strawberry.field(default=None, description="What counts where there is no value.")
    required: bool = strawberry.field(default=False, description="Whether an object without a value cannot be taken over.")
    direction: FieldDirection = strawberry.field(default=FieldDirection.PULL, description="Which way the row counts.")

    def row(self) -> base.FieldRow:
        """As the services take it."""
        transforms = tuple(tuple(transform) for transform in self.transforms)
        row = base.FieldRow(self.target, self.path, transforms, self.default, self.required)
        return replace(row, direction="both") if self.direction is FieldDirection.BOTH else row


@strawberry.type(description="One version of how a stream of a connection is translated. It never changes.")
class FieldMapping:
    stream: str = strawberry.field(description="The stream.")
    version: int = strawberry.field(description="Counts up with every version that is saved; 0: the connector's own.")
    rows: list[FieldRow] = strawberry.field(description="Its rows.")
    note: str = strawberry.field(description="What somebody noted about it.")
    created_by: str | None = strawberry.field(description="The name of whoever saved it.")
    created_at: datetime | None = strawberry.field(description="When it was saved.")
    published_at: datetime | None = strawberry.field(description="Since when it counts, or when it began to.")
    published_by: str | None = strawberry.field(description="The name of whoever published it.")
    retired_at: datetime | None = strawberry.field(description="When another version took its place.")

    @classmethod
    def of(cls, version: models.FieldMappingVersion) -> Self:
        return cls(
            stream=version.stream,
            version=version.version,
            rows=[FieldRow.of(row) for row in version.rows],
            note=version.note,
            created_by=version.created_by,
            created_at=version.created_at,
            published_at=version.published_at,
            published_by=version.published_by,
            retired_at=version.retired_at,
        )


@strawberry.type(description="A row in which two versions of a field mapping differ.")
class FieldRowChange:
    target: str = strawberry.field(description="The field.")
    before: FieldRow | None = strawberry.field(description="The row as it was; null for a new one.")
    after: FieldRow | None = strawberry.field(description="The row as it is; null for one that is gone.")
    differs: list[str] = strawberry.field(description="Which of its parts differ, like `path`.")

    @classmethod
    def of(cls, change: models.RowChange) -> Self:
        before, after = (None if row is None else FieldRow.of(row) for row in (change.before, change.after))
        return cls(target=change.target, before=before, after=after, differs=list(change.differs))


@strawberry.type(description="A field of a record, as it is and as it would be.")
class PreviewedField:
    field: str = strawberry.field(description="The field.")
    before: JSON | None = strawberry.field(description="What it is.")
    after: JSON | None = strawberry.field(description="What it would be.")


@strawberry.type(description="In how many records a field would be otherwise.")
class ChangedField:
    field: str = strawberry.field(description="The field.")
    records: int = strawberry.field(description="How many of the tried records.")


@strawberry.type(description="What other rows would make of an object that was read.")
class PreviewedRecord:
    external_id: str = strawberry.field(description="The provider's id of the object.")
    changes: list[PreviewedField] = strawberry.field(description="The fields that would be otherwise.")
    error_before: str | None = strawberry.field(description="Why it cannot be taken over as things are.")
    error: str | None = strawberry.field(description="Why it could not be taken over then.")

    @classmethod
    def of(cls, previewed: models.PreviewedRecord) -> Self:
        changes = [PreviewedField(field=change.field, before=change.before, after=change.after) for change in previewed.changes]
        return cls(external_id=previewed.external_id, changes=changes, error_before=previewed.error_before, error=previewed.error)


@strawberry.type(description="What other rows would make of the newest objects that were read, failed records among them.")
class FieldMappingBackTest:
    examined: int = strawberry.field(description="How many objects were tried.")
    unchanged: int = strawberry.field(description="Those that would stay as they are.")
    changed: int = strawberry.field(description="Those that would be otherwise.")
    failing: int = strawberry.field(description="Those that can be taken over now, and could not then.")
    healed: int = strawberry.field(description="Those that cannot be taken over now, and could then.")
    still_failing: int = strawberry.field(description="Those that cannot be taken over now, nor then.")
    fields: list[ChangedField] = strawberry.field(description="The fields that would be otherwise, those of most records first.")
    examples: list[PreviewedRecord] = strawberry.field(description="At most 20 of those that differ; those that would fail first.")

    @classmethod
    def of(cls, tested: models.BackTest) -> Self:
        most_first = sorted(tested.fields.items(), key=lambda counted: (-counted[1], counted[0]))
        return cls(
            examined=tested.examined,
            unchanged=tested.unchanged,
            changed=tested.changed,
            failing=tested.failing,
            healed=tested.healed,
            still_failing=tested.still_failing,
            fields=[ChangedField(field=name, records=count) for name, count in most_first],
            examples=[PreviewedRecord.of(one) for one in tested.examples],
        )


@strawberry.type(description="A name that the provider's objects have and no row reads.")
class UnmappedField:
    path: str = strawberry.field(description="Its place in the provider's document, as a row's `path` names it.")
    seen: int = strawberry.field(description="In how many of the looked at objects it holds something.")
    example: str = strawberry.field(description="The beginning of one value.")
    is_kept: bool = strawberry.field(description="Whether it is kept in `custom` as it is.")

    @classmethod
    def of(cls, found: models.DiscoveredField) -> Self:
        return cls(path=found.path, seen=found.seen, example=found.example, is_kept=found.is_kept)
