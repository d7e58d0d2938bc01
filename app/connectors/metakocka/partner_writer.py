"""Writes partners. No call is idempotent and partners carry no mark of ours: before anything is added twice, it is looked for."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from app.connectors.base import Reading, RecordWrite, Session
from app.connectors.errors import OutcomeUnknown, RequestRejected
from app.connectors.metakocka import calls
from app.connectors.metakocka.assembling import decode_object
from app.connectors.metakocka.partner_bodies import Changes, changes_of, new_partner
from app.connectors.metakocka.partners import find_partner, partners_by
from app.connectors.metakocka.values import Values, objects_in, text_of


class PartnerWriter:
    """https://github.com/metakocka/metakocka_api_base/blob/master/docs/add_partner.md, update_partner.md"""

    deletes: Literal["delete", "deactivate"] | None = None
    requests = 4

    def key_of(self, document: Mapping[str, Any]) -> str | None:
        """The tax number's digits, else the e-mail address, else the name."""
        tax, email, name = tax_digits(document.get("tax_id_number")), _email_of(document), _folded(document.get("customer"))
        return f"tax:{tax}" if tax else f"email:{email}" if email else f"name:{name}" if name else None

    async def find(self, session: Session, document: Mapping[str, Any], key: str) -> Sequence[Reading]:
        """Partners with the same tax number (with and without SI), else the same e-mail address, else the same name.

        Two with different tax numbers are never the same. The newest is last. Raises ConnectorError.
        """
        tax, email, name = tax_digits(document.get("tax_id_number")), _email_of(document), text_of(document.get("customer"))
        ways = [("partner_tax_number", text) for text in ((tax, f"SI{tax}") if tax.isdigit() else (tax,)) if text]
        for ways_of_one_kind in (ways, [("partner_email", email)] if email else [], [("partner_name", name)] if name else []):
            found: dict[str, Reading] = {}
            for filter_name, value in ways_of_one_kind:
                readings = await partners_by(session, filter_name, value)
                found |= {one.item.external_id: one for one in readings if _is_same(decode_object(one.item.payload), document, filter_name)}
            if found:
                return sorted(found.values(), key=_age)
        return ()

    async def write(self, session: Session, write: RecordWrite) -> Reading:
        """Create or update; returns the partner as it is shown afterwards. Raises RequestRejected, OutcomeUnknown, ConnectorError."""
        if write.external_id is None:
            return await self._create(session, write)
        return await _Update(session, write, write.external_id).perform()

    async def remove(self, session: Session, external_id: str) -> None:
        """Raises RequestRejected: no call deletes or deactivates a partner."""
        raise RequestRejected("Metakocka cannot delete or deactivate a partner; do it there.")

    async def _create(self, session: Session, write: RecordWrite) -> Reading:
        if write.attempted and (there := await self._made(session, write)):
            return there
        try:
            reply = await calls.write(session, "add_partner", {"partner": new_partner(write.document)})
        except OutcomeUnknown:
            if there := await self._made(session, write):
                return there
            raise
        return await _shown(session, text_of(reply.get("mk_id")))

    async def _made(self, session: Session, write: RecordWrite) -> Reading | None:
        """What an earlier attempt made; looked for twice, because what was just written may not be shown at once."""
        for is_last in (False, True):
            if found := await self.find(session, write.document, write.key):
                return found[-1]
            if not is_last:
                await settle(session)
        return None


class _Update:
    """One update, from a fresh reading to a fresh reading."""

    def __init__(self, session: Session, write: RecordWrite, mk_id: str) -> None:
        self.session, self.write, self.mk_id = session, write, mk_id

    async def perform(self) -> Reading:
        reading = self.write.before if self.write.before and not self.write.attempted else await _shown(self.session, self.mk_id)
        changes = self._changes(reading)
        if changes.appends and self.write.attempted:
            await settle(self.session)
            reading = await _shown(self.session, self.mk_id)
            changes = self._changes(reading)
        for _ in range(2):  # a contact can only be added to an address that is there
            if not changes.is_needed:
                return reading
            reading = await self._send(changes)
            if not changes.waits:
                break
            changes = self._changes(reading)
        return reading

    def _changes(self, reading: Reading) -> Changes:
        return changes_of(decode_object(reading.item.payload), self.write.document, self.write.changed)

    async def _send(self, changes: Changes) -> Reading:
        if not changes.body:
            raise RequestRejected("Metakocka keeps a contact under an address, and this partner has none: give it an address first.")
        try:
            await calls.write(self.session, "update_partner", {"partner": {**changes.body, "mk_id": self.mk_id}})
        except OutcomeUnknown:
            reading = await self._read_back()
            if self._is_open(reading):
                raise
            return reading
        return await self._read_back()

    async def _read_back(self) -> Reading:
        reading = await _shown(self.session, self.mk_id)
        if self._is_open(reading):
            await settle(self.session)
            reading = await _shown(self.session, self.mk_id)
        return reading

    def _is_open(self, reading: Reading) -> bool:
        """Whether something is still to be sent that Metakocka could have taken."""
        left = self._changes(reading)
        return not left.waits and bool(left.fills)


async def settle(session: Session) -> None:
    """Give what was just written a moment to be shown."""
    await asyncio.sleep(2 * session.settings.delay_seconds)


def tax_digits(value: Any) -> str:
    """A tax number without blanks and without SI."""
    text = "".join(text_of(value).split()).upper()
    return text.removeprefix("SI")


async def _shown(session: Session, mk_id: str) -> Reading:
    reading = await find_partner(session, mk_id) if mk_id else None
    if reading is None:
        raise OutcomeUnknown("Metakocka does not show the partner that is being written.")
    return reading


def _is_same(partner: Values, document: Mapping[str, Any], by: str) -> bool:
    ours, theirs = tax_digits(document.get("tax_id_number")), tax_digits(partner.get("tax_id_number"))
    if by == "partner_tax_number" or (ours and theirs):
        return bool(ours) and ours == theirs
    if by == "partner_email":
        return _email_of(document) in {_folded(one.get("email")) for one in objects_in(partner.get("partner_contact_list"))}
    return _folded(partner.get("customer")) == _folded(document.get("customer"))


def _email_of(document: Mapping[str, Any]) -> str:
    contact = document.get("contact")
    return _folded(contact.get("email")) if isinstance(contact, Mapping) else ""


def _folded(value: Any) -> str:
    return text_of(value).casefold()


def _age(reading: Reading) -> tuple[int, str]:
    return len(reading.item.external_id), reading.item.external_id
