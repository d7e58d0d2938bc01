"""Carries out one decision so that a repeat, after any interruption, does only what is still missing.

Each step is announced (`save` commits it, and refuses a worker that lost its lease), looked at, then written. Deleting is the
dangerous one: at ServiceM8 a second delete brings a line back. So a line is read immediately before it is deleted, a delete
without an answer is never sent again in the same attempt, and the lines are compared once more before the status is set and after it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.connectors.base import Account, Confirmation, QuoteDecision, SaveSteps, Session, Steps
from app.connectors.errors import NotApplied, ObjectMissing, OutcomeUnknown, RequestRejected
from app.connectors.servicem8 import objects
from app.connectors.servicem8.clock import AccountClock
from app.connectors.servicem8.guards import check_unchanged, found_at_provider
from app.connectors.servicem8.notes import note_text
from app.connectors.servicem8.objects import Object
from app.connectors.servicem8.payloads import QUOTE, WORK_ORDER, is_active, is_time, text_of

NO_ACCOUNT = Account(id="", name="")
_TIMES_TO_REMOVE = 3


class Undo(msgspec.Struct, omit_defaults=True):
    """Why everything is taken back; what to raise when that is done."""

    message: str
    status: int = 0
    """The provider's HTTP status; 0 when the quote had changed."""
    found: dict[str, Any] = {}

    def error(self) -> RequestRejected | NotApplied:
        return RequestRejected(self.message, status=self.status) if self.status else NotApplied(self.message, found=self.found)


class DecisionSteps(msgspec.Struct, omit_defaults=True):
    """What earlier attempts announced and finished."""

    removed: list[str] = []
    """Lines that this decision removes; saved before the first is deleted, so that they can be brought back."""
    status_announced: bool = False
    stamp_before: str = ""
    """The job's stamp of the wanted status before it was written: another one later means that it was reached."""
    order_before: str = ""
    """The job's purchase order number before the client's was written."""
    status_reached: bool = False
    undo: Undo | None = None

    @classmethod
    def of(cls, steps: Steps) -> "DecisionSteps":
        return msgspec.convert(steps, cls)


@dataclass(slots=True)
class CarryOut:
    """One attempt."""

    session: Session
    decision: QuoteDecision
    status: str
    stamp: str
    declined: tuple[str, ...]
    steps: DecisionSteps
    save_steps: SaveSteps
    just_reached: bool = field(default=False, init=False)

    async def perform(self) -> Confirmation:
        if self.steps.undo:
            raise await self._take_back(self.steps.undo)
        try:
            lines = await self._lines_to_go_on_with()
            if lines is not None:
                await self._remove_declined_lines(lines)
                await self._set_status()
            await self._write_note()
        except NotApplied as error:
            raise await self._stop(Undo(error.message, found=error.found)) from None
        except RequestRejected as error:
            raise await self._stop(Undo(error.message, status=error.status)) from None
        return await self._confirm()

    async def _lines_to_go_on_with(self) -> list[Object] | None:
        """The job's lines; None when lines and status were written. Raises NotApplied when the quote is not what the client saw."""
        if self.steps.status_reached:
            return None
        job, lines = await self._look()
        if job and self._was_reached(job):
            await self._note_reached()
            return None
        check_unchanged(job, lines, self.decision.lines, self.decision.contact_external_id, self.steps.removed)
        return lines

    async def _look(self) -> tuple[Object | None, list[Object]]:
        job = await objects.find(self.session, "job", self.decision.quote_external_id)
        return job, await objects.active_lines(self.session, self.decision.quote_external_id)

    def _was_reached(self, job: Object) -> bool:
        """Whether our announced write of the status took effect, whatever staff did to the job afterwards."""
        stamp_moved = str(job.get(self.stamp, "")) != self.steps.stamp_before
        return self.steps.status_announced and (job.get("status") == self.status or stamp_moved)

    async def _remove_declined_lines(self, lines: Sequence[Object]) -> None:
        """Remove what is still among the job's lines: an attempt that a limit cut short is not begun anew by the next."""
        if self.declined and not self.steps.removed:
            self.steps.removed = list(self.declined)
        there = {str(line["uuid"]) for line in lines}
        for uuid in self.steps.removed:
            if uuid in there:
                await self._remove(uuid)

    async def _remove(self, uuid: str) -> None:
        # Saved before each delete: only the worker that holds the lease gets past this line.
        await self._save()
        if await self._is_gone(uuid):
            return
        await _unless_done(lambda: objects.delete_line(self.session, uuid), lambda: self._is_gone(uuid))

    async def _is_gone(self, uuid: str) -> bool:
        line = await objects.find(self.session, "jobmaterial", uuid)
        return line is None or not is_active(line.get("active"))

    async def _look_without_removed(self) -> tuple[Object | None, list[Object]]:
        """What is there once the declined lines are gone.

        Another worker's delete that was sent before it lost its lease may arrive late and bring a line back.
        """
        for _ in range(_TIMES_TO_REMOVE):
            job, lines = await self._look()
            if not {str(line["uuid"]) for line in lines} & set(self.steps.removed):
                return job, lines
            await self._remove_declined_lines(lines)
        raise OutcomeUnknown("Lines that were removed from the quote keep coming back in ServiceM8.")

    async def _set_status(self) -> None:
        job, lines = await self._look_without_removed()
        staying = [line for line in self.decision.lines if line.external_id not in self.steps.removed]
        check_unchanged(job, lines, staying, self.decision.contact_external_id)
        assert job is not None
        self.steps.status_announced, self.steps.stamp_before = True, str(job.get(self.stamp, ""))
        self.steps.order_before = text_of(job.get("purchase_order_number"))
        await self._save()
        uuid, fields = self.decision.quote_external_id, self._order(self.decision.purchase_order or "")
        await _unless_done(lambda: objects.set_status(self.session, uuid, self.status, **fields), self._is_reached)
        if not await self._is_reached():
            raise OutcomeUnknown(f"ServiceM8 took the status {self.status!r} but does not show it yet.")
        self.just_reached = True
        await self._note_reached()

    def _order(self, number: str) -> dict[str, str]:
        """The job's field for the client's purchase order number; nothing where the client gave none."""
        return {"purchase_order_number": number} if self.decision.purchase_order and self.status == WORK_ORDER else {}

    async def _is_reached(self) -> bool:
        job = await objects.find(self.session, "job", self.decision.quote_external_id)
        return job is not None and self._was_reached(job)

    async def _note_reached(self) -> None:
        self.steps.status_reached = True
        await self._save()

    async def _write_note(self) -> None:
        uuid, job_uuid = self._note_uuid(), self.decision.quote_external_id
        if await objects.find(self.session, "note", uuid) is None:
            text = note_text(self.decision, self.session.account or NO_ACCOUNT)
            await objects.add_note(self.session, uuid, job_uuid, text)
            if await objects.find(self.session, "note", uuid) is None:
                raise OutcomeUnknown("ServiceM8 took the note on the decision but does not show it yet.")

    def _note_uuid(self) -> str:
        return objects.note_uuid(self.decision.decision_id, self.decision.quote_external_id)

    async def _confirm(self) -> Confirmation:
        """What ServiceM8 shows now, read back."""
        # Later on, a line that is back was brought back by staff, and stays.
        job, lines = await (self._look_without_removed() if self.just_reached else self._look())
        found = found_at_provider(job, lines)
        note = await objects.find(self.session, "note", self._note_uuid())
        clock, stamp = AccountClock((self.session.account or NO_ACCOUNT).time_zone), found["edit_date"]
        details = {
            **found,
            "lines": [line["external_id"] for line in found["lines"]],
            "note": note["uuid"] if note else None,
            # A change that staff make later has a later time.
            "edited_at": clock.moment(stamp) if is_time(stamp) else None,
        }
        return Confirmation(self.decision.quote_external_id, found["status"], details)

    async def _stop(self, undo: Undo) -> RequestRejected | NotApplied:
        if not self.steps.removed and not self.steps.status_reached:
            return undo.error()
        self.steps.undo = undo
        await self._save()
        return await self._take_back(undo)

    async def _take_back(self, undo: Undo) -> RequestRejected | NotApplied:
        """Bring back what was removed, and the status if it was ours; every part may be done again without harm."""
        job_uuid = self.decision.quote_external_id
        if self.steps.status_reached:
            job = await objects.find(self.session, "job", job_uuid)
            if job and job.get("status") == self.status:
                await objects.set_status(self.session, job_uuid, QUOTE, **self._order(self.steps.order_before))
        there = {str(line["uuid"]) for line in await objects.active_lines(self.session, job_uuid)}
        for uuid in self.steps.removed:
            line = None if uuid in there else await objects.find(self.session, "jobmaterial", uuid)
            if line and not is_active(line.get("active")):
                await objects.restore_line(self.session, line)
        return undo.error()

    async def _save(self) -> None:
        await self.save_steps(msgspec.to_builtins(self.steps))


async def _unless_done(write: Callable[[], Awaitable[None]], done: Callable[[], Awaitable[bool]]) -> None:
    """Write; when no answer says what came of it, look. A write that cannot be found is left to the next attempt, later."""
    try:
        await write()
    except (OutcomeUnknown, ObjectMissing):
        if not await done():
            raise
