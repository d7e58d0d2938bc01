from decimal import Decimal

import pytest

from app.connectors.base import Account, FieldMapping, FieldRow
from app.mappings.translate import RecordInvalid, Translator

ACCOUNT = Account(id="a", name="Acme", currency="EUR", time_zone="UTC")
ROWS = (
    FieldRow("status", "status", (("enum", "Quote=quote"),), required=True),
    FieldRow("number", "generated_job_id", default=""),
    FieldRow("lines[].external_id", "lines[].uuid", required=True),
    FieldRow("lines[].description", "lines[].name", (("trim",),), default=""),
    FieldRow("lines[].quantity", "lines[].quantity", (("number",),), required=True),
    FieldRow("lines[].unit_price", "lines[].price", (("number",),), required=True),
)
JOB = Translator("job", FieldMapping(1, ROWS, custom_prefixes=("customfield_",)))
LINE = {"uuid": "m1", "name": " Cable ", "quantity": "2.5000", "price": "10.0000"}


def test_rows_build_the_entity_with_its_lists_and_custom_fields():
    job = JOB.translate({"status": "Quote", "generated_job_id": "1042", "lines": [LINE], "customfield_po": "7", "other": 1}, ACCOUNT)

    assert (job.status, job.number, job.custom) == ("quote", "1042", {"customfield_po": "7"})
    assert [(line.description, line.quantity, line.unit_price) for line in job.lines] == [("Cable", Decimal("2.5000"), Decimal("10.0000"))]


@pytest.mark.parametrize(
    ("document", "stage", "words"),
    [
        ({"lines": []}, "translate", "status"),
        ({"status": "Pending"}, "translate", "'Pending' is not one of 'Quote'"),
        ({"status": "Quote", "lines": [LINE, LINE | {"price": "NaN"}]}, "translate", r"lines\[1\]\.unit_price"),
        ({"status": "Quote", "lines": [LINE | {"quantity": None}]}, "validate", "required"),
        ({"status": "Quote", "generated_job_id": {"a": 1}}, "validate", "number"),
    ],
)
def test_a_document_that_cannot_become_a_record_says_which_field_and_why(document, stage, words):
    with pytest.raises(RecordInvalid, match=words) as refused:
        JOB.translate(document, ACCOUNT)

    assert refused.value.stage == stage


def test_rows_of_one_list_must_read_one_list():
    with pytest.raises(ValueError, match="one list"):
        Translator("job", FieldMapping(1, (FieldRow("lines[].quantity", "x[].a"), FieldRow("lines[].position", "y[].b"))))
