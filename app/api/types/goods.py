"""Products and what lies where, as GraphQL shows them. The fields are those of app/records/entities.py."""

from decimal import Decimal
from typing import Self

import msgspec
import strawberry

from app.api.reads import sources as reads
from app.api.types.record_parts import Recorded, common, record_shape, same
from app.records import entities
from app.records.models import Record


@strawberry.type(description="Something that is sold or bought: goods or a service.")
class Product(Recorded):
    name: str = strawberry.field(description="Its name.")
    code: str = strawberry.field(description="Its code.")
    number: str = strawberry.field(description="The number that people see.")
    unit: str = strawberry.field(description="What it is counted in, like `h`.")
    is_service: bool = strawberry.field(description="Whether it is a service.")
    is_sold: bool = strawberry.field(description="Whether it is sold.")
    is_purchased: bool = strawberry.field(description="Whether it is bought.")
    is_active: bool = strawberry.field(description="Whether it is in use.")
    unit_price: Decimal | None = strawberry.field(description="The price of one, before tax, with the provider's digits.")
    currency: str = strawberry.field(description="The currency of the price as ISO 4217; empty where the provider names none.")

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(**common(record), **same(msgspec.convert(record.data, entities.Product, strict=False), "edited_at"))


@strawberry.type(description="How much of a product lies in a place, in the product's unit.")
class InventoryLevel(Recorded):
    product_external_id: str = strawberry.field(description="The provider's id of the product.")
    code: str = strawberry.field(description="The product's code.")
    name: str = strawberry.field(description="The product's name.")
    location_external_id: str = strawberry.field(description="The provider's id of the place.")
    location_name: str = strawberry.field(description="What people call the place.")
    on_hand: Decimal = strawberry.field(description="How much lies there.")
    reserved: Decimal = strawberry.field(description="How much of it is promised to somebody.")
    available: Decimal | None = strawberry.field(description="How much can be sold, where the provider says so.")
    unit: str = strawberry.field(description="What it is counted in, like `kg`.")

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(**common(record), **same(msgspec.convert(record.data, entities.InventoryLevel, strict=False)))


reads.declare("Product", record_shape("Product", "product", entities.Product))
reads.declare("InventoryLevel", record_shape("InventoryLevel", "inventory_level", entities.InventoryLevel))
