"""How documents become contacts and jobs: rows that people can read, compare and change. Lengths are the provider's own."""

from app.connectors.base import FieldMapping, FieldRow
from app.connectors.servicem8.payloads import QUOTE, TAX_PERCENT, UNSUCCESSFUL, WORK_ORDER

LINE = (("trim",), ("text", "500"))
ANY_TEXT = (("trim",), ("text", "10000"))
REFERENCE = (("trim",), ("text", "100"), ("empty_to_none",))
TIME = (("local_time",),)

_STATUS = ("enum", f"{QUOTE}=quote", f"{WORK_ORDER}=work_order", "Completed=completed", f"{UNSUCCESSFUL}=unsuccessful")

COMPANY_FIELDS = FieldMapping(
    version=1,
    custom_prefixes=("customfield_",),
    rows=(
        FieldRow("name", "name", (("trim",), ("text", "100")), required=True),
        FieldRow("email", "email", LINE),
        FieldRow("phone", "phone", LINE),
        FieldRow("website", "website", LINE),
        FieldRow("tax_number", "abn_number", LINE),
        FieldRow("is_individual", "is_individual", (("flag",),)),
        FieldRow("parent_external_id", "parent_company_uuid", REFERENCE),
        FieldRow("address.text", "address", LINE),
        FieldRow("address.street", "address_street", LINE),
        FieldRow("address.city", "address_city", LINE),
        FieldRow("address.state", "address_state", LINE),
        FieldRow("address.postcode", "address_postcode", LINE),
        FieldRow("address.country", "address_country", LINE),
        FieldRow("billing_address.text", "billing_address", LINE),
        FieldRow("people[].external_id", "contacts[].uuid", REFERENCE, required=True),
        FieldRow("people[].name", "contacts[].full_name", LINE),
        FieldRow("people[].email", "contacts[].email", LINE),
        FieldRow("people[].phone", "contacts[].phone", LINE),
        FieldRow("people[].mobile", "contacts[].mobile", LINE),
        FieldRow("people[].role", "contacts[].type", LINE),
        FieldRow("people[].is_primary", "contacts[].is_primary_contact", (("flag",),)),
        FieldRow("edited_at", "edit_date", TIME),
    ),
)

JOB_FIELDS = FieldMapping(
    version=1,
    custom_prefixes=("customfield_",),
    rows=(
        FieldRow("status", "status", (_STATUS,), required=True),
        FieldRow("number", "generated_job_id", LINE),
        FieldRow("title", "job_description", ANY_TEXT),
        FieldRow("work_done", "work_done_description", ANY_TEXT),
        FieldRow("contact_external_id", "company_uuid", REFERENCE),
        FieldRow("site_address", "job_address", LINE),
        FieldRow("billing_address", "billing_address", LINE),
        FieldRow("purchase_order_number", "purchase_order_number", LINE),
        FieldRow("scheduled_on", "date", (("date",),)),
        FieldRow("quoted_at", "quote_date", TIME),
        FieldRow("quote_sent_at", "quote_sent_stamp", TIME),
        FieldRow("ordered_at", "work_order_date", TIME),
        FieldRow("completed_at", "completion_date", TIME),
        FieldRow("rejected_at", "unsuccessful_date", TIME),
        FieldRow("edited_at", "edit_date", TIME),
        FieldRow("total", "total_invoice_amount", (("number",),)),
        FieldRow("lines[].external_id", "lines[].uuid", REFERENCE, required=True),
        FieldRow("lines[].description", "lines[].name", LINE, default=""),
        FieldRow("lines[].quantity", "lines[].quantity", (("number",),), required=True),
        FieldRow("lines[].unit_price", "lines[].price", (("number",),), required=True),
        FieldRow("lines[].tax_rate", f"lines[].{TAX_PERCENT}", (("number",),), required=True),
        FieldRow("lines[].position", "lines[].sort_order", (("integer",),)),
        FieldRow("lines[].material_external_id", "lines[].material_uuid", REFERENCE),
    ),
)
