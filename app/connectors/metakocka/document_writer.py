"""Writes offers, orders and bills. Putting is not idempotent: each new document has a number of our own by which it is found again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from app.connectors.base import Reading, RecordWrite, Session
from app.connectors.errors import OutcomeUnknown, RequestRejected
from app.connectors.metakocka import calls, listing
from app.connectors.metakocka.assembling import decode_object
from app.connectors.metakocka.document_bodies import differences, mark_of, new_document, replaced
from app.connectors.metakocka.partner_writer import settle
from app.connectors.metakocka.partners import billing_address, find_partner
from app.connectors.metakocka.payloads import BILLS, KIND_OF_TYPE, ORDER, TYPES_OF_KIND
from app.connectors.metakocka.replies import INVALID, Refused
from app.connectors.metakocka.sales_documents import document_item, find_document, get_document
from app.connectors.metakocka.values import Values, is_true, text_of, today


@dataclass(slots=True, eq=False)
class DocumentWriter:
    """https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_put_document.md"""

    types: Sequence[str]
    deletes: Literal["delete", "deactivate"] | None = None
    requests: int = 5

    def key_of(self, document: Mapping[str, Any]) -> str | None:
        """The reference that an order bears. Numbers are Metakocka's own, and not unique."""
        reference = text_of(document.get("buyer_order"))
        return f"reference:{reference}" if reference and ORDER in self.types else None

    async def find(self, session: Session, document: Mapping[str, Any], key: str) -> Sequence[Reading]:
        """What an earlier attempt made, else an order with the same reference. Raises ConnectorError."""
        for doc_type in self._types_of(document):
            if found := await _numbered(session, doc_type, mark_of(key)):
                return found
        reference = text_of(document.get("buyer_order"))
        by_reference = await get_document(session, ORDER, buyer_order=reference) if reference and ORDER in self.types else None
        return (by_reference,) if by_reference else ()

    async def write(self, session: Session, write: RecordWrite) -> Reading:
        """Create or replace; returns the document as it is shown afterwards. Raises RequestRejected, OutcomeUnknown, ConnectorError."""
        if write.external_id is None:
            return await self._create(session, write)
        return await self._update(session, write, write.external_id)

    async def remove(self, session: Session, external_id: str) -> None:
        """Delete an order; one that is gone already is well. Raises RequestRejected for offers and bills.

        https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_delete_document_sales_order.md
        """
        if self.deletes is None:
            raise RequestRejected("Metakocka deletes no offers and no bills; give it another status, or a credit note.")
        try:
            await calls.write(session, "delete_document", {"doc_type": ORDER, "mk_id": external_id})
        except OutcomeUnknown:
            if await self._is_there(session, external_id):
                raise
        except Refused as error:
            if error.opr_code != INVALID or await self._is_there(session, external_id):
                raise

    async def _create(self, session: Session, write: RecordWrite) -> Reading:
        number = mark_of(write.key)
        if write.attempted and (there := await self._made(session, write.document, number)):
            return there
        doc_type, partner = await self._addressed(session, write.document)
        body = new_document(
            doc_type, write.document, number=number, partner=partner, today=today(datetime.now(UTC)), settings=session.settings
        )
        try:
            reply = await calls.write(session, "put_document", body)
        except OutcomeUnknown:
            if there := await self._made(session, write.document, number):
                return there
            raise
        return await self._shown(session, text_of(reply.get("mk_id")), (doc_type,))

    async def _update(self, session: Session, write: RecordWrite, mk_id: str) -> Reading:
        """Read, change, put: everything that is not ours to change is put back as it was read a moment before."""
        reading = await self._shown(session, mk_id, self._known_types(write.before))
        raw = decode_object(reading.item.payload)
        if "kind" in write.changed and KIND_OF_TYPE.get(text_of(raw.get("doc_type"))) != write.document.get("kind"):
            raise RequestRejected("Metakocka cannot make another kind of document of this one.")
        wanted = differences(raw, write.document, write.changed)
        if not wanted:
            return reading
        partner = (await self._addressed(session, write.document))[1] if "partner_mk_id" in wanted else None
        try:
            await calls.write(session, "put_document", replaced(raw, write.document, wanted, session.settings, partner))
        except OutcomeUnknown:
            reading = await self._read_back(session, mk_id, write, wanted)
            if differences(decode_object(reading.item.payload), write.document, wanted):
                raise
            return reading
        return await self._read_back(session, mk_id, write, wanted)

    async def _read_back(self, session: Session, mk_id: str, write: RecordWrite, wanted: frozenset[str]) -> Reading:
        reading = await self._shown(session, mk_id, self._known_types(write.before))
        if differences(decode_object(reading.item.payload), write.document, wanted):
            await settle(session)
            reading = await self._shown(session, mk_id, self._known_types(write.before))
        return reading

    async def _made(self, session: Session, document: Mapping[str, Any], number: str) -> Reading | None:
        """What an earlier attempt made; looked for twice, because what was just written may not be shown at once."""
        for is_last in (False, True):
            for doc_type in self._types_of(document):
                if found := await _numbered(session, doc_type, number):
                    return found[0]
            if not is_last:
                await settle(session)
        return None

    async def _addressed(self, session: Session, document: Mapping[str, Any]) -> tuple[str, Values]:
        """The document's type, and its partner with the address to bill: data of a partner instead of its ids would make a new one."""
        mk_id = text_of(document.get("partner_mk_id"))
        reading = await find_partner(session, mk_id) if mk_id else None
        if reading is None:
            raise RequestRejected("A document of Metakocka's needs a partner that is known there.")
        partner = decode_object(reading.item.payload)
        address = text_of(billing_address(partner).get("mk_id"))
        if not address:
            raise RequestRejected("The partner has no address in Metakocka, without which it takes no document.")
        types = self._types_of(document)
        foreign = is_true(partner.get("foreign_county")) and len(types) > 1
        return types[1] if foreign else types[0], {"mk_id": mk_id, "mk_address_id": address}

    def _types_of(self, document: Mapping[str, Any]) -> Sequence[str]:
        """The types that a new document may have: a bill's by its kind, domestic before foreign. Raises RequestRejected."""
        if len(self.types) == 1:
            return self.types
        types = TYPES_OF_KIND.get(text_of(document.get("kind")) or "invoice", ())
        if not set(types) <= set(BILLS) or not types:
            raise RequestRejected("Only invoices and prepayment invoices can be made here; credit notes are made in Metakocka.")
        return types

    def _known_types(self, before: Reading | None) -> Sequence[str]:
        known = text_of(decode_object(before.item.payload).get("doc_type")) if before else ""
        return (known,) if known in self.types else self.types

    async def _shown(self, session: Session, mk_id: str, types: Sequence[str]) -> Reading:
        reading = await find_document(session, mk_id, types=types) if mk_id else None
        if reading is None:
            raise OutcomeUnknown("Metakocka does not show the document that is being written.")
        return reading

    async def _is_there(self, session: Session, mk_id: str) -> bool:
        return await find_document(session, mk_id, types=self.types) is not None


async def _numbered(session: Session, doc_type: str, number: str) -> list[Reading]:
    """Documents with exactly this number; whether the search looks into other texts as well is not documented."""
    rows = await listing.documents_with(session, doc_type, number)
    return [Reading(document_item(session, row)) for row in rows if decode_object(row.payload).get("count_code") == number]
