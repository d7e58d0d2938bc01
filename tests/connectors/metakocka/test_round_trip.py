"""A record of the hub that is written to Metakocka and read from there is the same record, by the connector's field mapping."""

from typing import Any

import msgspec
import pytest

from app.connectors.base import Reading
from app.connectors.metakocka.connector import connector
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.mappings.translate import Translator
from tests.connectors.metakocka.company import ACCOUNT, add_partner, metakocka, product_codes
from tests.connectors.metakocka.writing import create

CONTACT: dict[str, Any] = {
    "name": "Čebelnjak Žiga d.o.o.",
    "email": "ziga@cebelnjak.test",
    "phone": "01 234 56 78",
    "mobile": "051 123 456",
    "tax_number": "ATU12345678",
    "registration_number": "6543210",
    "address": {"street": "Hauptplatz 4", "city": "Klagenfurt", "state": "Kärnten", "postcode": "9020", "country": "AT"},
}


def translator(stream: str) -> Translator:
    reads = connector.streams[stream]
    return Translator(reads.entity, reads.fields)


async def written(mk: RunningSandbox, stream: str, record: dict[str, Any]) -> Reading:
    """The record as the engine writes it."""
    reads = connector.streams[stream]
    assert reads.writer is not None
    async with metakocka(mk) as opened:
        made = await reads.writer.write(opened.session, create(translator(stream).untranslate(record, ACCOUNT)))
        shown = await reads.read_one(opened.session, made.item.external_id)
    assert shown is not None
    return shown


def read(stream: str, reading: Reading) -> dict[str, Any]:
    document = connector.streams[stream].assemble(reading.item.payload, reading.parts, ACCOUNT)
    return dict(msgspec.json.decode(msgspec.json.encode(translator(stream).translate(document, ACCOUNT))))


@pytest.mark.requirement("MKC-08", "MKC-12", "MKC-13")
async def test_a_contact_that_is_written_is_read_as_it_was(mk: RunningSandbox):
    reading = await written(mk, "partners", CONTACT)

    record = read("partners", reading)
    assert {name: record[name] for name in CONTACT} == CONTACT
    assert translator("partners").pushed_changed(CONTACT, record) == frozenset()


@pytest.mark.requirement("MKC-27", "MKC-28", "MKC-29")
async def test_name_email_and_phone_stand_where_metakocka_has_them(mk: RunningSandbox):
    partner = await mk.partner((await written(mk, "partners", CONTACT)).item.external_id)

    (contact,) = partner["partner_contact_list"]
    assert (partner["customer"], contact["email"], contact["phone"], contact["gsm"]) == (
        CONTACT["name"],
        "ziga@cebelnjak.test",
        "01 234 56 78",
        "051 123 456",
    )


@pytest.mark.requirement("MKC-09", "MKC-30", "MKC-31")
async def test_the_address_is_the_billing_address_and_the_country_a_name(mk: RunningSandbox):
    partner = await mk.partner((await written(mk, "partners", CONTACT)).item.external_id)

    (address,) = partner["partner_delivery_address_list"]
    shown = {name: address[name] for name in ("address_type", "street", "post_number", "city", "province", "country")}
    assert list(shown.values()) == ["Račun", "Hauptplatz 4", "9020", "Klagenfurt", "Kärnten", "Avstrija"]
    assert partner["foreign_county"] == "true"


@pytest.mark.requirement("MKC-32", "MKC-33")
@pytest.mark.parametrize(
    ("is_individual", "tax_number", "flags"), [(False, "SI12345678", ("true", "true")), (True, "", ("false", "false"))]
)
async def test_a_company_and_a_person_differ_in_their_flags(
    mk: RunningSandbox, is_individual: bool, tax_number: str, flags: tuple[str, str]
):
    reading = await written(mk, "partners", CONTACT | {"is_individual": is_individual, "tax_number": tax_number})

    partner = await mk.partner(reading.item.external_id)
    assert (partner["business_entity"], partner["taxpayer"]) == flags
    assert partner.get("tax_id_number", "") == tax_number


@pytest.mark.parametrize("stream", ["offers", "orders", "bills"])
async def test_a_sales_document_that_is_written_is_read_as_it_was(mk: RunningSandbox, stream: str):
    partner, code = await add_partner(mk), (await product_codes(mk))[0]
    line = {
        "code": code,
        "description": "Ročno č",
        "quantity": "2.5",
        "unit": "kos",
        "unit_price": "19.99",
        "discount": "5",
        "tax_rate": "9.5",
    }
    record: dict[str, Any] = {
        "kind": {"offers": "offer", "orders": "order", "bills": "invoice"}[stream],
        "title": "Popravilo strehe",
        "notes": "Prosimo, pokličite",
        "contact_external_id": partner["mk_id"],
        "currency": "EUR",
        "issued_on": "2026-01-15",
        "due_on": "2026-01-30",
        "discount": "2",
        "lines": [line, {**line, "unit_price": "7", "description": ""}],
    }
    record |= {
        "offers": {"valid_until": "2026-02-28", "status": "quote"},
        "orders": {"reference": "PO 77"},
        "bills": {"service_until": "2026-01-10"},
    }[stream]
    shown = read(stream, await written(mk, stream, record))

    # What the record does not say (a new order's status) is Metakocka's to say.
    told = translator(stream).pushed_changed({}, record)
    assert translator(stream).pushed_changed(record, shown) & told == frozenset()
    assert {name: shown[name] for name in record if name != "lines"} == {name: record[name] for name in record if name != "lines"}
