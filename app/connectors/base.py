"""The contract that every connector keeps.

A connector reads streams and performs actions. A stream yields pages; a page is what was read *and the state that is
safe to save after it*. The hub stores both in one transaction, so a run that is killed anywhere goes on from its last
page. The state is opaque to the hub; only the connector understands it.

A connector never sees a tenant, a table or a web request. It is handed a Session: an ApiClient that is already
authorised, limited and logged, the connection's typed settings, and what the account said of itself.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from app.connectors.client import ApiClient

State = dict[str, Any]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of the account behind a connection."""

    id: str
    name: str
    currency: str = "XXX"
    """ISO 4217; XXX where the provider has none."""
    time_zone: str = "UTC"
    """IANA name; naive provider times are in it."""


@dataclass(frozen=True, slots=True)
class Session:
    """All that a connector gets for one piece of work."""

    client: "ApiClient"
    settings: Any
    """The connector's own settings class, decoded."""
    account: Account | None
    """None only while the connection is tested for the first time."""


@dataclass(frozen=True, slots=True)
class Item:
    """One provider object as it was read: the bytes of its JSON (or CSV, XML) and its identity."""

    external_id: str
    payload: bytes
    version: str | None = None
    """The provider's own version or time stamp of the object, comparable as text; None where it has none."""
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A child object from which its parent's document is assembled (a company's contact, a job's material)."""

    kind: str
    external_id: str
    parent_id: str
    payload: bytes
    """Empty: the part is gone."""


@dataclass(frozen=True, slots=True)
class BadItem:
    """An object that could not even be identified or cut out of its page; it is kept as a failed record."""

    external_id: str
    """The provider's id where there is one, else a stable hash of the payload."""
    payload: bytes
    message: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects and the state that is safe to save after them."""

    state: State
    items: Sequence[Item] = ()
    parts: Sequence[Part] = ()
    bad: Sequence[BadItem] = ()
    expected: int | None = None
    """How many items the whole walk will have, where the provider says so."""
    read_after: datetime | None = None
    """The database's time before it was asked for; the hub notes it. What was written since then is newer than the page."""


class Mode(StrEnum):
    """Whether a walk asks for everything or for what changed since the saved state."""

    FULL = "full"
    INCREMENTAL = "incremental"


@dataclass(frozen=True, slots=True)
class Walk:
    """How a stream is to be walked.

    `resume` is the state after the last committed page of *this* walk (None at its start); `saved` is the state that
    the last completed walk left (None before the first). A walk's last page carries the state that becomes `saved`.
    """

    mode: Mode
    saved: State | None = None
    resume: State | None = None
    narrowed_to: Mapping[str, str] = field(default_factory=dict)
    """Only objects with these values, e.g. {"contact_external_id": "…"}; the keys are the stream's `narrow_by`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One provider object, read by its id: the item with all parts that its document is assembled from."""

    item: Item
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """What is to be written of one record, in the provider's words. The same delivery always brings the same `key`."""

    key: str
    """The delivery's id: the idempotency key, or the mark to look for, of every write that it causes."""
    external_id: str | None
    """None: the provider does not have it yet."""
    document: Mapping[str, Any]
    """Everything that the field mapping pushes, whole and nested as `Stream.assemble` gives it."""
    changed: frozenset[str]
    """Top-level names of `document` that differ from what the provider has; all of them for a new object."""
    before: Reading | None
    """The object as it was read a moment ago; it holds the ids of its child objects. None for a new object."""
    attempted: bool = False
    """An earlier attempt may have been carried out: look before writing."""


class Writer(Protocol):
    """How objects of a stream are written. Each write has its effect once, whatever the provider does with a repeat.

    What cannot be made sure is OutcomeUnknown: the same write comes again later with `attempted`.
    """

    deletes: Literal["delete", "deactivate"] | None
    """What the provider can do instead of having the object; None: it can do neither."""
    requests: int
    """How many requests one write takes, about."""

    def key_of(self, document: Mapping[str, Any]) -> str | None:
        """By what an object is found that is there already (a tax number, our own document number); None: by nothing. Pure."""
        ...

    async def find(self, session: Session, document: Mapping[str, Any], key: str) -> Sequence[Reading]:
        """The provider's objects that are this one: made by an earlier attempt of `key`, or with the same natural key.

        Raises ConnectorError.
        """
        ...

    async def write(self, session: Session, write: RecordWrite) -> Reading:
        """Create or update; returns the object as the provider shows it afterwards.

        Raises RequestRejected when the provider refuses it, OutcomeUnknown, ConnectorError.
        """
        ...

    async def remove(self, session: Session, external_id: str) -> None:
        """Delete or deactivate (see `deletes`). What is gone already is well. Raises ConnectorError."""
        ...


class Stream(Protocol):
    """One kind of record that a connector reads."""

    name: str
    title: str
    entity: str
    """The hub's entity that its items become (app/records/entities.py)."""
    record_stream: str
    """The stream under which items are mapped: `name`, or for a narrowed view the stream that it is a view of."""
    narrow_by: tuple[str, ...]
    after: tuple[str, ...]
    """Streams that come first when they are in the same run."""
    fields: "FieldMapping"

    def read(self, session: Session, walk: Walk) -> AsyncIterator[Page]:
        """The pages from `walk.resume` (or the start) to the end. Raises ConnectorError."""
        ...

    def assemble(self, payload: bytes, parts: Sequence[Part], account: Account) -> Any:
        """One document in the provider's words, from an item's payload and its parts. Pure. Raises ValueError."""
        ...

    async def read_one(self, session: Session, external_id: str) -> Reading | None:
        """One object, fresh; None when the provider does not have it (any more). Raises ConnectorError."""
        ...

    writer: Writer | None
    """None: the stream is only read."""
    complete: bool
    """Whether a full walk names every object that the provider has, so that absence means deletion."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One row of a field mapping: where a target field comes from, and how.

    `path` is a plain dotted path into the assembled document. Transforms are names of app/mappings/transforms.py with
    arguments, applied in order. A required field that is missing or empty makes the record a failed record.
    """

    target: str
    path: str
    transforms: tuple[tuple[str, ...], ...] = ()
    default: Any = None
    required: bool = False
    direction: Literal["pull", "both"] = "pull"
    """`both`: the field is pushed as well; its path is plain and each of its transforms has an inverse."""


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """The versioned rows that translate a stream's documents; `custom` names the prefixes of fields kept as they are."""

    version: int
    rows: tuple[FieldRow, ...]
    custom_prefixes: tuple[str, ...] = ()


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a form needs to know of one setting; the console draws its form from these."""

    name: str
    title: str
    help: str = ""
    kind: str = "text"
    """text, secret, url, integer, seconds, boolean, choice"""
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    sandbox: Any = None
    """What the provider's sandbox takes here; "try with a sandbox" fills the form with it."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`requests` in `seconds`; `reserved` of them may only be used by decisions."""

    name: str
    requests: int
    seconds: int
    reserved: int


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """A version of the provider's API and its announced end of life (ISO date), where there is one."""

    name: str
    end_of_life: str | None = None


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """A line of a quote as the client saw and decided it. Prices are before tax."""

    external_id: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    approved: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class QuoteDecision:
    """What a client decided, as an action gets it. `decision_id` is the idempotency key of every write it causes."""

    decision_id: str
    quote_external_id: str
    outcome: str
    """approved, partially_approved or rejected"""
    lines: tuple[DecidedLine, ...]
    decided_by: str
    decided_at: str
    """ISO 8601 with an offset."""
    signature_name: str | None = None
    reason: str | None = None
    note: str | None = None
    purchase_order: str | None = None
    """The client's own number for the order, where it gave one with an approval."""
    contact_external_id: str | None = None
    """The contact that the quote was for when it was decided; None where nobody knew."""


Steps = dict[str, Any]
SaveSteps = Callable[[Steps], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the provider shows after an action, as the connector read it back."""

    external_id: str
    status: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Action(Protocol):
    """One write to a provider. Performing it again with the same decision changes nothing more.

    `steps` is what an earlier attempt saved; `save` commits them before the write that they announce, so that an
    attempt that died anywhere is continued and not repeated. Raises NotApplied when a fresh read shows that the object
    is not what the client saw; RequestRejected when the provider refuses for good (after undoing its earlier steps).
    """

    name: str

    def requests(self, decision: QuoteDecision) -> int:
        """How many requests an attempt sends that nothing interrupts, about: it begins when there is room for them."""
        ...

    async def perform(self, session: Session, decision: QuoteDecision, steps: Steps, save: SaveSteps) -> Confirmation: ...


@dataclass(frozen=True, kw_only=True)
class Connector:
    """Everything the hub knows of a provider. The registry finds one in each folder."""

    provider: str
    title: str
    description: str
    settings: tuple[Setting, ...]
    settings_class: type
    """A msgspec.Struct; its fields that are `kind="secret"` above are sealed and never shown."""
    rate_limits: tuple[RateLimit, ...]
    api_versions: tuple[ApiVersion, ...]
    documentation_url: str
    streams: Mapping[str, Stream]
    actions: Mapping[str, Action]
    make_client: Callable[..., "ApiClient"]
    """(settings, transport, budget, log, *, priority="bulk") → an authorised ApiClient; see app/connectors/client.py."""
    check: Callable[[Session], Awaitable[Account]]
    """A real exchange that proves the credentials. Raises ConnectorError."""
    limits_of: Callable[[Any], tuple[RateLimit, ...]] | None = None
    """Where the limits are a matter of settings: those of these settings. `rate_limits` are those of the settings' defaults."""

    def limits(self, settings: Any) -> tuple[RateLimit, ...]:
        """The limits of a connection with these settings."""
        return self.limits_of(settings) if self.limits_of else self.rate_limits

    @property
    def secret_names(self) -> frozenset[str]:
        return frozenset(setting.name for setting in self.settings if setting.kind == "secret")
