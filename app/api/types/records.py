"""Records of all kinds, as GraphQL shows them."""

from typing import Annotated

import strawberry

from app.actors import Permission
from app.api.reads import sources as reads
from app.api.reads.sources import Shape
from app.api.types.contacts import Contact
from app.api.types.goods import InventoryLevel, Product
from app.api.types.jobs import Job
from app.api.types.sales_documents import SalesDocument
from app.records.models import Record

AnyRecord = Annotated[
    Contact | Job | SalesDocument | Product | InventoryLevel,
    strawberry.union("Record", description="One item in the hub's own shape, whatever provider it came from."),
]
_TYPES: dict[str, type[Contact | Job | SalesDocument | Product | InventoryLevel]] = {
    "contact": Contact,
    "job": Job,
    "sales_document": SalesDocument,
    "product": Product,
    "inventory_level": InventoryLevel,
}
TYPE_NAMES = {entity: kind.__name__ for entity, kind in _TYPES.items()}
"""The name of each entity's type."""


def record_of(record: Record) -> Contact | Job | SalesDocument | Product | InventoryLevel | None:
    """None for an entity that has no GraphQL type yet."""
    kind = _TYPES.get(record.entity)
    return None if kind is None else kind.of(record)


reads.declare("Record", Shape(table="record", permission=Permission.READ_RECORDS, kind="{row}.entity", variants=TYPE_NAMES))
