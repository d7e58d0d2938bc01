"""The object types that the sandbox knows, field by field.

Names, lengths, required and read-only marks are those of the provider's OpenAPI description (snapshot 2026-03-06); the kinds
follow what was seen on the wire: flags are numbers on a job and text on its children, decimals are text with four places.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

NO_TIME = "0000-00-00 00:00:00"
NO_DATE = "0000-00-00"
STATUSES = ("Quote", "Work Order", "Completed", "Unsuccessful")
# The time a job last got a status stands in this field.
STATUS_STAMPS = {
    "Quote": "quote_date",
    "Work Order": "work_order_date",
    "Completed": "completion_date",
    "Unsuccessful": "unsuccessful_date",
}


class Kind(Enum):
    TEXT = auto()
    FLAG = auto()
    TEXT_FLAG = auto()
    DECIMAL = auto()
    NUMBER = auto()
    DATE = auto()
    TIME = auto()
    JSON_ARRAY = auto()
    STATUS = auto()


EMPTY: dict[Kind, str | int] = {
    Kind.TEXT: "",
    Kind.FLAG: 0,
    Kind.TEXT_FLAG: "0",
    Kind.DECIMAL: "0.0000",
    Kind.NUMBER: 0,
    Kind.DATE: NO_DATE,
    Kind.TIME: NO_TIME,
    Kind.JSON_ARRAY: "[]",
    Kind.STATUS: "",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object; `length` is the most characters it takes, None where no limit is known."""

    name: str
    kind: Kind = Kind.TEXT
    length: int | None = None
    required: bool = False
    read_only: bool = False


@dataclass(frozen=True)
class ObjectType:
    """One kind of object: its name in paths, its fields, whether it can be written, and the fields it is looked up by."""

    name: str
    fields: tuple[Field, ...]
    writable: bool = True
    indexed: tuple[str, ...] = ()
    # Fields whose value may stand only once in the account, archived records included.
    unique: tuple[str, ...] = ()
    by_name: dict[str, Field] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in COMMON + self.fields})

    def blank(self) -> dict[str, object]:
        """A record with every field at the provider's empty value."""
        return {one.name: EMPTY[one.kind] for one in COMMON + self.fields}


COMMON = (Field("uuid"), Field("active", Kind.FLAG), Field("edit_date", Kind.TIME, read_only=True))


def _texts(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name) for name in names)


def _flags(kind: Kind, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, kind) for name in names)


VENDOR = ObjectType(
    "vendor",
    _texts("name", "email", "website", "currency", "timezone_name", "job_default_status", "default_region"),
    writable=False,
)

COMPANY = ObjectType(
    "company",
    (
        Field("name", length=100, required=True),
        Field("abn_number"),
        Field("address", length=500),
        Field("billing_address", length=500),
        *_texts("address_street", "address_city", "address_state", "address_postcode", "address_country", "website", "fax_number"),
        Field("is_individual", Kind.TEXT_FLAG, read_only=True),
        Field("parent_company_uuid"),
        Field("badges", Kind.JSON_ARRAY),
        *_texts("tax_rate_uuid", "billing_attention", "payment_terms"),
    ),
    indexed=("parent_company_uuid",),
    unique=("name",),
)

_PERSON = (*_texts("first", "last", "phone", "mobile", "email", "type"), Field("is_primary_contact", Kind.TEXT_FLAG))
COMPANY_CONTACT = ObjectType("companycontact", (Field("company_uuid"), *_PERSON), indexed=("company_uuid",))
JOB_CONTACT = ObjectType("jobcontact", (Field("job_uuid"), *_PERSON), indexed=("job_uuid",))

JOB = ObjectType(
    "job",
    (
        Field("status", Kind.STATUS, required=True),
        Field("company_uuid"),
        Field("generated_job_id", read_only=True),
        Field("date", Kind.DATE),
        Field("job_address", length=500),
        Field("billing_address", length=500),
        *_texts("job_description", "work_done_description"),
        Field("total_invoice_amount", Kind.DECIMAL, read_only=True),
        *(Field(stamp, Kind.TIME) for stamp in STATUS_STAMPS.values()),
        Field("quote_sent", Kind.FLAG),
        Field("quote_sent_stamp", Kind.TIME, read_only=True),
        Field("invoice_sent", Kind.FLAG),
        Field("invoice_sent_stamp", Kind.TIME, read_only=True),
        Field("purchase_order_number", length=100),
        *_texts("category_uuid", "queue_uuid"),
        Field("queue_expiry_date", Kind.TIME),
        Field("queue_assigned_staff_uuid"),
        Field("badges", Kind.JSON_ARRAY),
        Field("payment_processed", Kind.FLAG),
        Field("payment_processed_stamp", Kind.TIME),
        Field("payment_received", Kind.FLAG),
        Field("payment_received_stamp", Kind.TIME),
        Field("completion_actioned_by_uuid", read_only=True),
        Field("created_by_staff_uuid"),
        Field("lat", Kind.NUMBER, read_only=True),
        Field("lng", Kind.NUMBER, read_only=True),
        Field("geo_is_valid", Kind.FLAG, read_only=True),
        *(Field(f"geo_{part}", read_only=True) for part in ("number", "street", "city", "state", "postcode", "country")),
        Field("job_is_scheduled_until_stamp", Kind.TIME, read_only=True),
    ),
    indexed=("company_uuid", "status"),
)

JOB_MATERIAL = ObjectType(
    "jobmaterial",
    (
        *_texts("job_uuid", "material_uuid"),
        Field("name", length=500),
        Field("quantity", Kind.DECIMAL, required=True),
        Field("price", Kind.DECIMAL),
        Field("displayed_amount", Kind.DECIMAL),
        Field("displayed_amount_is_tax_inclusive", Kind.TEXT_FLAG),
        *_texts("tax_rate_uuid", "sort_order"),
        Field("cost", Kind.DECIMAL),
        Field("displayed_cost", Kind.DECIMAL),
        Field("job_material_bundle_uuid"),
    ),
    indexed=("job_uuid",),
)

NOTE = ObjectType(
    "note",
    (
        *_texts("related_object", "related_object_uuid", "note"),
        Field("action_required", Kind.TEXT_FLAG),
        Field("action_completed_by_staff_uuid"),
        Field("edit_by_staff_uuid", read_only=True),
        Field("create_date", Kind.TIME, read_only=True),
    ),
    indexed=("related_object_uuid",),
)

# Only `read_tax_rates` exists among the scopes, none to manage them: the list is read only.
TAX_RATE = ObjectType("taxrate", (*_texts("name", "amount"), Field("is_default_tax_rate", Kind.TEXT_FLAG)), writable=False)

JOB_ACTIVITY = ObjectType(
    "jobactivity",
    (
        *_texts("job_uuid", "staff_uuid"),
        Field("start_date", Kind.TIME),
        Field("end_date", Kind.TIME),
        *_flags(Kind.TEXT_FLAG, "activity_was_scheduled", "activity_was_recorded", "activity_was_automated", "has_been_opened"),
        Field("has_been_opened_timestamp", Kind.TIME),
        *_texts("travel_time_in_seconds", "travel_distance_in_meters", "material_uuid"),
        Field("edit_by_staff_uuid", read_only=True),
    ),
    indexed=("job_uuid",),
)

JOB_PAYMENT = ObjectType(
    "jobpayment",
    (
        Field("job_uuid"),
        Field("amount", Kind.DECIMAL),
        *_texts("method", "note"),
        Field("timestamp", Kind.TIME),
        *_texts("actioned_by_uuid", "attachment_uuid"),
        Field("is_deposit", Kind.TEXT_FLAG, read_only=True),
    ),
    indexed=("job_uuid",),
)

STAFF = ObjectType(
    "staff",
    (
        *(Field(name, required=True) for name in ("first", "last", "email")),
        *_texts("mobile", "job_title", "color", "lat", "lng"),
        Field("hide_from_schedule", Kind.TEXT_FLAG),
        *_texts("security_role_uuid", "labour_material_uuid", "status_message"),
    ),
)

CATEGORY = ObjectType("category", (Field("name", required=True), Field("colour", length=6)))
QUEUE = ObjectType("queue", (*_texts("name", "default_timeframe", "subscribed_staff"), Field("requires_assignment", Kind.TEXT_FLAG)))
BADGE = ObjectType(
    "badge",
    (
        Field("name", length=50, required=True),
        Field("file_name"),
        Field("automatically_allocated", Kind.TEXT_FLAG),
        *_texts("regarding_form_uuid", "regarding_asset_type_uuid"),
    ),
)
MATERIAL = ObjectType(
    "material",
    (
        Field("name", length=70, required=True),
        Field("item_number", length=30),
        Field("price", Kind.DECIMAL),
        Field("cost", Kind.DECIMAL),
        Field("price_includes_taxes", Kind.TEXT_FLAG),
        Field("tax_rate_uuid"),
    ),
    unique=("item_number",),
)

OBJECT_TYPES = {
    one.name: one
    for one in (
        VENDOR, COMPANY, COMPANY_CONTACT, JOB, JOB_CONTACT, JOB_MATERIAL, NOTE, TAX_RATE, JOB_ACTIVITY, JOB_PAYMENT,
        STAFF, CATEGORY, QUEUE, BADGE, MATERIAL,
    )
}  # fmt: skip

# A single note is also reached under the name that the documentation gives for it.
RECORD_ALIASES = {"dbonote": "note"}
