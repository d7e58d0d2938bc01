"""What is read: companies with their contacts, jobs with their lines, and quotes as a narrowed view of jobs.

Editing a child does not touch its parent, so each walk reads the children first and then the parents, each with its own cursor and its
own watermark. A child that is made in between comes with the next walk.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.connectors.base import Account, BadItem, FieldMapping, Item, Mode, Page, Part, Reading, Session, Walk, Writer
from app.connectors.errors import RequestRejected
from app.connectors.servicem8.clock import AccountClock
from app.connectors.servicem8.cutting import Cut, CutPage, is_uuid
from app.connectors.servicem8.documents import company_document, job_document, plain_percent, with_tax_percent
from app.connectors.servicem8.fields import COMPANY_FIELDS, JOB_FIELDS
from app.connectors.servicem8.payloads import QUOTE, Head, is_active, is_time, text_of
from app.connectors.servicem8.reading import edited_after, equals, read_objects, read_pages
from app.connectors.servicem8.walks import Mark, Progress, has_ended, saved_watermark

Assemble = Callable[[bytes, Sequence[Part], Account], dict[str, Any]]
NO_ACCOUNT = Account(id="", name="")


@dataclass(kw_only=True, slots=True, eq=False)
class ObjectStream:
    """A stream whose items are objects of one kind, assembled with child objects of another."""

    name: str
    title: str
    entity: str
    record_stream: str
    narrow_by: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    fields: FieldMapping
    root: str
    """The provider's name of the objects that become items."""
    child: str
    child_parent: str
    """The child's field that names its parent."""
    has_tax: bool = False
    only: tuple[str, ...] = ()
    """Conditions of a view, asked only in a walk over everything. A walk over changes must also bring what left the view: it would
    never be missed."""
    belongs: Callable[[Head], bool] = lambda head: True
    """Whether an object is or was in the view."""
    document: Assemble
    writer: Writer | None = None
    complete: bool = True
    """ServiceM8's lists name deleted objects as well; only a view leaves some out."""
    has_parts: bool = True
    kinds: tuple[str, ...] = ()

    async def read(self, session: Session, walk: Walk) -> AsyncIterator[Page]:
        """The pages of children, then of parents. Raises ConnectorError."""
        if walk.resume is not None and has_ended(walk.resume):
            return
        progress = await self._begin(session, walk) if walk.resume is None else Progress.of(walk.resume)
        phases = [self.child, self.root]
        for name in phases[phases.index(progress.phase) :]:
            async for page in self._read_phase(session, walk, progress, name):
                yield page

    async def read_one(self, session: Session, external_id: str) -> Reading | None:
        """One object with its children, fresh; a deleted one is marked so. Raises ConnectorError."""
        clock = AccountClock((session.account or NO_ACCOUNT).time_zone)
        progress = Progress(phase=self.root, tax_rates=await read_tax_rates(session) if self.has_tax else None)
        found = [one async for one in self._cuts(session, self.root, "uuid", external_id) if one.uuid == external_id]
        if not found:
            return None
        parts = [
            Part(self.child, one.uuid, external_id, self._part_payload(one, progress))
            async for one in self._cuts(session, self.child, self.child_parent, external_id)
        ]
        return Reading(_item(found[-1], clock, progress.mark(self.root)), parts)

    async def _cuts(self, session: Session, name: str, field: str, value: str) -> AsyncIterator[Cut]:
        async for page, _, _ in read_pages(session, name, [equals(field, value)]):
            for one in page.objects:
                yield one

    def assemble(self, payload: bytes, parts: Sequence[Part], account: Account) -> dict[str, Any]:
        """One document in the provider's words. Raises ValueError."""
        return self.document(payload, parts, account)

    async def _begin(self, session: Session, walk: Walk) -> Progress:
        progress = Progress(phase=self.child)
        if self.has_tax:
            progress.tax_rates = await read_tax_rates(session)
            # The percent is stored with each line: when a rate changes, all lines are read again.
            progress.reread = walk.saved is not None and walk.saved.get("taxrate") != progress.tax_rates
        return progress

    async def _read_phase(self, session: Session, walk: Walk, progress: Progress, name: str) -> AsyncIterator[Page]:
        clock = AccountClock((session.account or NO_ACCOUNT).time_zone)
        conditions = self._conditions(walk, progress, name, clock)
        async for cut, response, following in read_pages(session, name, conditions, progress.cursor):
            progress.mark(name).note(response, cut, clock)
            self._advance(progress, name, following)
            state = (
                progress.state() if progress.phase else progress.ended(walk, keep=self.root if self.only and walk.mode is Mode.FULL else "")
            )
            yield self._page(cut, name, state, progress, clock)

    def _advance(self, progress: Progress, name: str, following: str | None) -> None:
        """Move to the next page, else to the next object, else to the end (an empty phase)."""
        if following is not None:
            progress.follow(following)
        else:
            progress.turn_to(self.root if name == self.child else "")

    def _conditions(self, walk: Walk, progress: Progress, name: str, clock: AccountClock) -> list[str]:
        watermark = "" if walk.mode is Mode.FULL else saved_watermark(walk, name)
        changes = [edited_after(clock.since(watermark))] if watermark else []
        if name == self.child:
            return [] if progress.reread else changes
        narrowed = [equals("company_uuid", company) for company in self._companies(walk)]
        return [*narrowed, *(changes or self.only)]

    def _companies(self, walk: Walk) -> list[str]:
        if unknown := set(walk.narrowed_to) - set(self.narrow_by):
            raise RequestRejected(f"{self.title} cannot be narrowed by {', '.join(sorted(unknown))}.")
        return list(walk.narrowed_to.values())

    def _page(self, cut: CutPage, name: str, state: dict[str, Any], progress: Progress, clock: AccountClock) -> Page:
        if name == self.root:
            mark = progress.mark(name)
            return Page(state, items=[_item(one, clock, mark) for one in cut.objects if self.belongs(one.head)], bad=cut.bad)
        parts, bad = [], list(cut.bad)
        for one in cut.objects:
            parent = text_of(getattr(one.head, self.child_parent))
            if is_uuid(parent):
                parts.append(Part(name, one.uuid, parent, self._part_payload(one, progress)))
                continue
            # Whose it was, it is no more.
            parts.append(Part(name, one.uuid, "", b""))
            if is_active(one.head.active):
                problem = f"its {self.child_parent} cannot be used" if parent else f"its {self.child_parent} is empty"
                bad.append(BadItem(one.uuid, one.payload, f"This {name} belongs to nothing: {problem}."))
        return Page(state, parts=parts, bad=bad)

    def _part_payload(self, one: Cut, progress: Progress) -> bytes:
        if not is_active(one.head.active):
            return b""
        if progress.tax_rates is None:
            return one.payload
        return with_tax_percent(one.payload, progress.tax_rates.get(text_of(one.head.tax_rate_uuid)))


async def read_tax_rates(session: Session) -> dict[str, str]:
    """Percent by uuid, inactive rates too; "" is the default rate. https://developer.servicem8.com/reference/listtaxrates

    That a line without a rate has the account's default one is assumed; without a default it has none.
    """
    rates = sorted(await read_objects(session, "taxrate"), key=lambda rate: str(rate["uuid"]))
    percents = {str(rate["uuid"]): plain_percent(rate.get("amount")) for rate in rates}
    defaults = [
        plain_percent(rate.get("amount"))
        for rate in rates
        if rate.get("is_default_tax_rate") in (1, "1", True) and is_active(rate.get("active"))
    ]
    return {**percents, "": defaults[0] if defaults else "0"}


def _item(one: Cut, clock: AccountClock, mark: Mark) -> Item:
    stamp = one.head.edit_date
    version = clock.version(stamp) if is_time(stamp) and mark.has_been(stamp) else None
    return Item(one.uuid, one.payload, version, deleted=not is_active(one.head.active))


COMPANIES = ObjectStream(
    name="companies",
    title="Clients",
    entity="contact",
    record_stream="companies",
    fields=COMPANY_FIELDS,
    root="company",
    child="companycontact",
    child_parent="company_uuid",
    document=company_document,
)

JOBS = ObjectStream(
    name="jobs",
    title="Jobs",
    entity="job",
    record_stream="jobs",
    narrow_by=("contact_external_id",),
    after=("companies",),
    fields=JOB_FIELDS,
    root="job",
    child="jobmaterial",
    child_parent="job_uuid",
    has_tax=True,
    document=job_document,
)

QUOTES = ObjectStream(
    name="quotes",
    title="Quotes",
    entity="job",
    record_stream="jobs",
    narrow_by=("contact_external_id",),
    after=("companies", "jobs"),
    fields=JOB_FIELDS,
    root="job",
    child="jobmaterial",
    child_parent="job_uuid",
    has_tax=True,
    only=(equals("status", QUOTE),),
    complete=False,
    belongs=Head.was_quote,
    document=job_document,
)
