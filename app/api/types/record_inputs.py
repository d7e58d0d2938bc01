"""What contacts and sales documents are made and changed with. In a change, a field that is left out stays and null empties it."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import strawberry
from strawberry import UNSET

from app.api.types.sales_documents import SalesDocumentKind
from app.errors import InvalidInput
from app.records.entities import ENTITIES


@strawberry.input(description="A postal address.")
class AddressInput:
    text: str = strawberry.field(default="", description="The address in one piece.")
    street: str = strawberry.field(default="", description="Street and number.")
    city: str = strawberry.field(default="", description="City or town.")
    state: str = strawberry.field(default="", description="State or region.")
    postcode: str = strawberry.field(default="", description="Post code.")
    country: str = strawberry.field(default="", description="Country.")


@strawberry.input(description="Somebody to speak to at a contact.")
class ContactPersonInput:
    external_id: str = strawberry.field(default="", description="The provider's id of this person; left out for a new one.")
    name: str = strawberry.field(default="", description="First and last name.")
    email: str = strawberry.field(default="", description="E-mail address.")
    phone: str = strawberry.field(default="", description="Phone number.")
    mobile: str = strawberry.field(default="", description="Mobile number.")
    role: str = strawberry.field(default="", description="What this person is for, like `BILLING`.")
    is_primary: bool = strawberry.field(default=False, description="Whether this is the one to speak to first.")


@strawberry.input
class _ContactInput:
    email: str | None = strawberry.field(default=UNSET, description="E-mail address.")
    phone: str | None = strawberry.field(default=UNSET, description="Phone number.")
    mobile: str | None = strawberry.field(default=UNSET, description="Mobile number.")
    website: str | None = strawberry.field(default=UNSET, description="Website.")
    tax_number: str | None = strawberry.field(default=UNSET, description="Tax or company number.")
    registration_number: str | None = strawberry.field(default=UNSET, description="Its number in the register of companies.")
    is_individual: bool | None = strawberry.field(default=UNSET, description="Whether it is a private person.")
    is_customer: bool | None = strawberry.field(default=UNSET, description="Whether it buys.")
    is_supplier: bool | None = strawberry.field(default=UNSET, description="Whether it sells.")
    notes: str | None = strawberry.field(default=UNSET, description="What is noted about it.")
    address: AddressInput | None = strawberry.field(default=UNSET, description="Where it is; it takes the place of the whole address.")
    billing_address: AddressInput | None = strawberry.field(default=UNSET, description="Where invoices go.")
    people: list[ContactPersonInput] | None = strawberry.field(default=UNSET, description="Whom to speak to, all of them.")


@strawberry.input(description="A new contact.")
class CreateContactInput(_ContactInput):
    name: str = strawberry.field(description="Its name.")


@strawberry.input(description="What is to change of a contact: what is left out stays, null empties.")
class UpdateContactInput(_ContactInput):
    name: str | None = strawberry.field(default=UNSET, description="Its name.")


@strawberry.input(description="A line of a sales document; the list gives their order.")
class DocumentLineInput:
    external_id: str = strawberry.field(default="", description="The provider's id of the line; left out for a new one.")
    code: str = strawberry.field(default="", description="The article's code.")
    name: str = strawberry.field(default="", description="The article's name.")
    description: str = strawberry.field(default="", description="What this line says beside the article.")
    quantity: Decimal = strawberry.field(description="How many.")
    unit: str = strawberry.field(default="", description="Of what, like `h`.")
    unit_price: Decimal = strawberry.field(description="The price of one, before tax and discount.")
    discount: Decimal = strawberry.field(default=Decimal(0), description="The discount in percent.")
    tax_rate: Decimal = strawberry.field(default=Decimal(0), description="The tax rate in percent.")


@strawberry.input
class _SalesDocumentInput:
    number: str | None = strawberry.field(default=UNSET, description="The number that people see; left out: the provider gives one.")
    reference: str | None = strawberry.field(default=UNSET, description="The buyer's own mark.")
    status: str | None = strawberry.field(name="providerStatus", default=UNSET, description="Where it stands, in the provider's own word.")
    title: str | None = strawberry.field(default=UNSET, description="What it is about.")
    contact_external_id: str | None = strawberry.field(
        default=UNSET, description="The id of the contact that it is for, at the provider that the document goes to."
    )
    contact_name: str | None = strawberry.field(default=UNSET, description="The name of the contact that it is for.")
    currency: str | None = strawberry.field(default=UNSET, description="The currency as ISO 4217, like `EUR`.")
    issued_on: date | None = strawberry.field(default=UNSET, description="The day of the document.")
    due_on: date | None = strawberry.field(default=UNSET, description="By when it is to be paid.")
    valid_until: date | None = strawberry.field(default=UNSET, description="Until when an offer holds.")
    service_from: date | None = strawberry.field(default=UNSET, description="The first day of the service.")
    service_until: date | None = strawberry.field(default=UNSET, description="The last day of the service.")
    notes: str | None = strawberry.field(default=UNSET, description="What is noted on it.")
    discount: Decimal | None = strawberry.field(default=UNSET, description="The discount on all of it in percent.")
    discount_amount: Decimal | None = strawberry.field(default=UNSET, description="Money off all of it.")
    lines: list[DocumentLineInput] | None = strawberry.field(default=UNSET, description="Its lines, all of them.")


@strawberry.input(description="A new sales document. Its sums are the provider's to compute.")
class CreateSalesDocumentInput(_SalesDocumentInput):
    kind: SalesDocumentKind = strawberry.field(description="What it is.")


@strawberry.input(description="What is to change of a sales document: what is left out stays, null empties. Its kind stays.")
class UpdateSalesDocumentInput(_SalesDocumentInput):
    pass


def given_fields(entity: str, given: Any) -> dict[str, Any]:
    """What was given, as app/records/entities.py has it; null is the field's default. Raises InvalidInput where it has none."""
    known = {field.name: field for field in msgspec.structs.fields(ENTITIES[entity])}
    values = {name: value for name, value in vars(given).items() if value is not UNSET}
    empty = sorted(name for name, value in values.items() if value is None and known[name].required)
    if empty or ("name" in values and not values["name"].strip()):
        raise InvalidInput(fields={empty[0] if empty else "name": "This cannot be empty."})
    return {name: _plain(known[name].default if value is None else value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, SalesDocumentKind):
        return value.value
    if isinstance(value, list):
        return [_element(each, place) for place, each in enumerate(value, 1)]
    return _element(value, 0)


def _element(value: Any, place: int) -> Any:
    """`place` is where it stands in its list, which a line holds itself."""
    if isinstance(value, DocumentLineInput):
        return msgspec.to_builtins(vars(value)) | {"position": place}
    return vars(value) if isinstance(value, AddressInput | ContactPersonInput) else msgspec.to_builtins(value)
