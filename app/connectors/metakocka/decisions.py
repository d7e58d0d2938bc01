"""Carries out one decision so that a repeat, after any interruption, does only what is still missing.

An approval makes an order. It bears a reference of our own as the buyer's order number, by which it is looked for before it is made and
after every answer that was lost. The offer stays as it is, but for its status where the settings name one. A rejection is written into
the offer's notes, with the decision's mark by which it is known again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from app.connectors.base import Confirmation, QuoteDecision, Reading, SaveSteps, Session, Steps
from app.connectors.errors import NotApplied, OutcomeUnknown
from app.connectors.metakocka import calls
from app.connectors.metakocka.assembling import decode_object, flat_document
from app.connectors.metakocka.document_bodies import carried, mark_of, order_from
from app.connectors.metakocka.document_writer import DocumentWriter
from app.connectors.metakocka.guards import check_unchanged, found_offer
from app.connectors.metakocka.notes import decision_mark, note_on, with_note
from app.connectors.metakocka.partner_writer import settle
from app.connectors.metakocka.payloads import OFFER, ORDER, QUOTE
from app.connectors.metakocka.replies import Refused
from app.connectors.metakocka.sales_documents import document_version, get_document
from app.connectors.metakocka.values import Values, text_of, today

ORDERS = DocumentWriter((ORDER,), deletes="delete")
DELETED = "deleted"


class Undo(msgspec.Struct):
    """Why the order is taken back; what to raise when that is done."""

    message: str
    found: dict[str, Any]


class DecisionSteps(msgspec.Struct, omit_defaults=True):
    """What earlier attempts announced and finished."""

    announced: bool = False
    """The order, or the rejection, may have been written."""
    order: str = ""
    """The order's mk_id."""
    marked: bool = False
    """The offer's status is as it is to be, or cannot be."""
    problem: str = ""
    """Why the offer's status could not be written, in the provider's words."""
    undo: Undo | None = None

    @classmethod
    def of(cls, steps: Steps) -> "DecisionSteps":
        return msgspec.convert(steps, cls)


@dataclass(slots=True)
class CarryOut:
    """One attempt."""

    session: Session
    decision: QuoteDecision
    steps: DecisionSteps
    save_steps: SaveSteps

    async def approve(self) -> Confirmation:
        """Make the order, then mark the offer. Raises NotApplied, RequestRejected, OutcomeUnknown, ConnectorError."""
        if self.steps.undo:
            raise await self._take_back(self.steps.undo)
        if not self.steps.order:
            await self._make_order()
        await self._mark_offer()
        return await self.confirm()

    async def reject(self) -> Confirmation:
        """Write the rejection into the offer. Raises as `approve`."""
        if not self.steps.marked:
            await self._write_rejection()
        return await self.confirm()

    async def _make_order(self) -> None:
        order = await self._order()
        if order is None:
            offer = await self._unchanged_offer()
            self.steps.announced = True
            await self._save()
            order = await self._put_order(offer)
            await self._check_once_more()
        self.steps.order = order
        await self._save()

    async def _put_order(self, offer: Values) -> str:
        accepted = {line.external_id for line in self.decision.lines if line.approved}
        body = order_from(offer, accepted, reference=self._reference, notes=note_on(self.decision), day=today(datetime.now(UTC)))
        try:
            reply = await calls.write(self.session, "put_document", body)
        except OutcomeUnknown:
            if order := await self._order():
                return order
            raise
        return text_of(reply.get("mk_id"))

    async def _order(self) -> str | None:
        """The id of the order that was made. Looked for twice once it is announced, as what was just written may not be shown at once."""
        found = await get_document(self.session, ORDER, buyer_order=self._reference)
        if found is None and self.steps.announced:
            await settle(self.session)
            found = await get_document(self.session, ORDER, buyer_order=self._reference)
        return found.item.external_id if found else None

    async def _check_once_more(self) -> None:
        """Nobody may have changed the offer between our look and our order."""
        try:
            await self._unchanged_offer()
        except NotApplied as error:
            self.steps.undo = Undo(error.message, error.found)
            await self._save()
            raise await self._take_back(self.steps.undo) from None

    async def _take_back(self, undo: Undo) -> NotApplied:
        if order := await self._order():
            await ORDERS.remove(self.session, order)
        return NotApplied(undo.message, found=undo.found)

    async def _mark_offer(self) -> None:
        """Give the offer the status of accepted ones, where the settings name one. The order stands, whatever becomes of it."""
        key = self.session.settings.accepted_status
        if self.steps.marked or not key:
            return
        offer = await self._offer()
        if offer is not None and text_of(offer.get("status_desc")) != key:
            try:
                await self._replace_offer(offer, lambda shown: text_of(shown.get("status_desc")) == key, status_code=key)
            except Refused as error:
                self.steps.problem = error.message
        self.steps.marked = True
        await self._save()

    async def _write_rejection(self) -> None:
        offer = await self._offer()
        if not self._is_noted(offer):
            offer = await self._unchanged_offer()
            self.steps.announced = True
            await self._save()
            key = self.session.settings.rejected_status
            notes = with_note(text_of(offer.get("notes")), note_on(self.decision))
            await self._replace_offer(offer, self._is_noted, notes=notes, **({"status_code": key} if key else {}))
        self.steps.marked = True
        await self._save()

    async def _replace_offer(self, offer: Values, is_done: Callable[[Values], bool], **changes: str) -> None:
        """Put the offer back as it was read, with these changes. Raises OutcomeUnknown when it is not shown so afterwards."""
        unknown = OutcomeUnknown("Metakocka took the change of the offer but does not show it yet.")
        try:
            await calls.write(self.session, "put_document", carried(offer) | changes)
        except OutcomeUnknown as error:
            unknown = error
        for again in (False, True):
            if again:
                await settle(self.session)
            shown = await self._offer()
            if shown is None or is_done(shown):
                return
        raise unknown

    async def _offer(self) -> Values | None:
        reading = await get_document(self.session, OFFER, doc_id=self.decision.quote_external_id)
        return decode_object(reading.item.payload) if reading else None

    async def _unchanged_offer(self) -> Values:
        offer = await self._offer()
        check_unchanged(offer, self.decision.lines, self.decision.contact_external_id)
        assert offer is not None
        return offer

    def _is_noted(self, offer: Values | None) -> bool:
        return offer is not None and decision_mark(self.decision) in text_of(offer.get("notes"))

    @property
    def _reference(self) -> str:
        return mark_of(self.decision.decision_id)

    async def _save(self) -> None:
        await self.save_steps(msgspec.to_builtins(self.steps))

    async def confirm(self) -> Confirmation:
        """What Metakocka shows now, read back."""
        offer = await self._offer()
        found = found_offer(offer)
        details = {**found, "lines": [line["external_id"] for line in found["lines"]]}
        if self.steps.order:
            order = await get_document(self.session, ORDER, doc_id=self.steps.order)
            details |= {"order": self.steps.order, "reference": self._reference, "order_shown": _order_shown(order)}
        if self.steps.problem:
            details["problem"] = self.steps.problem
        if offer and found["status"] != QUOTE:
            # A change that staff make later has a later time. Of an offer that stays open, later changes mean nothing.
            details["edited_at"] = document_version(offer)
        return Confirmation(self.decision.quote_external_id, found["status"] or DELETED, details)


def _order_shown(order: Reading | None) -> Values | None:
    if order is None:
        return None
    flat = flat_document(decode_object(order.item.payload))
    return {"number": flat["count_code"], "total": flat["sum_all"], "lines": [line["external_id"] for line in flat["lines"]]}
