"""What helps a failed record, and what somebody may make of its payload. Pure."""

import json

from app.connectors.redaction import HIDDEN
from app.errors import FixBy, InvalidInput, Refusal
from app.plain_text import is_storable
from app.syncs.models import FailedRecord

LONGEST_PAYLOAD = 1_000_000
"""Characters of an edited payload."""
PUSH_STAGE, READ_STAGE = "push", "read"


class FailedRecordSettled(Refusal):
    """This failed record is well by now; there is nothing to mend."""

    code = "failed_record_settled"


_ADVICE = {
    "read": "Run the sync again. What still comes without an id of its own has to be corrected at the provider.",
    "assemble": "Correct it at the provider, or edit the payload here: as it came, it cannot be put together.",
    "translate": "Correct the value at the provider or edit the payload here, or teach the field mapping this value.",
    "validate": "Fill in or correct the field at the provider, or edit the payload here. The next run takes it over by itself.",
    "store": "Correct the value at the provider, or edit the payload here: it cannot be stored as it is.",
    "project": "Correct the quote at the provider, or edit the payload here. The record itself is taken over.",
    "push": "Correct the record here, then try again: the provider does not take it as it is.",
}


def advice(stage: str, fix_by: str) -> str:
    """What is to be done, in plain words."""
    if fix_by == FixBy.TIME:
        return "Nothing needs to be done: the next run tries again by itself."
    if fix_by == FixBy.US:
        return "Tell whoever runs this hub; the details are in its log. Nothing is lost, and the next run tries again."
    return _ADVICE.get(stage, "Correct it at the provider, then try again.")


def why_not_edited(failed: FailedRecord) -> str:
    """Why its payload cannot be edited, in a sentence that says what helps instead; empty where it can."""
    if failed.stage == PUSH_STAGE:
        return "The provider did not take this record: correct the record itself, and push it again."
    if failed.stage == READ_STAGE:
        return "This could not be told apart from others, so it cannot be taken over by itself; run the sync again."
    return ""


def check_edit(failed: FailedRecord, stored: bytes, payload: str) -> None:
    """`stored` is what would be tried next without the edit. Raises FailedRecordSettled, InvalidInput."""
    if failed.resolved_at is not None:
        raise FailedRecordSettled
    if problem := why_not_edited(failed):
        raise InvalidInput(fields={"id": problem})
    if problem := _wrong_with(payload, stored):
        raise InvalidInput(fields={"payload": problem})


def _wrong_with(payload: str, stored: bytes) -> str:
    if not payload.strip() or len(payload) > LONGEST_PAYLOAD or not is_storable(payload):
        return f"Give the whole object as the provider would send it, at most {LONGEST_PAYLOAD:,} characters."
    if HIDDEN in payload and HIDDEN.encode() not in stored:
        return f"“{HIDDEN}” stands where a secret is not shown. Write what belongs there, or leave that field out."
    return not_json(payload) if _is_json(stored) else ""


def _is_json(stored: bytes) -> bool:
    try:
        json.loads(stored)
    except ValueError:
        return False
    return True


_WRONG_JSON = {
    "Expecting value": "a value is missing, or a text stands without quotes",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting property name enclosed in double quotes": "the name of a field in double quotes is missing",
    "Extra data": "there is something after the end of the object",
    "Invalid control character at": "a line break inside of a text has to be written as \\n",
    "Unterminated string starting at": "a text begins here and does not end",
}
"""By what the parser says."""


def not_json(text: str) -> str:
    """Where a text stops being JSON, in a sentence; empty where it is."""
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        wrong = _WRONG_JSON.get(error.msg, f"this is not JSON ({error.msg})")
        return f"Line {error.lineno}, column {error.colno}: {wrong}."
    except (ValueError, RecursionError):
        return "This is not JSON that any provider would send: numbers are finite, and nesting ends somewhere."
    return ""


def _refuse(constant: str) -> None:
    raise ValueError(constant)
