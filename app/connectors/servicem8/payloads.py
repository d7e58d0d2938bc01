"""The provider's shapes: only the fields used, with its own names, as loose as they are on the wire.

https://developer.servicem8.com/docs/field-types: flags are 1, 0, "1" or "0"; decimals are texts with four places;
an empty time is "0000-00-00 00:00:00".
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

NO_TIME = "0000-00-00 00:00:00"
QUOTE, WORK_ORDER, UNSUCCESSFUL = "Quote", "Work Order", "Unsuccessful"
TAX_PERCENT = "crosswalk_tax_percent"
"""A line's tax rate in percent. Not the provider's: it is added to a jobmaterial when it is read (docs/decisions/0003-parts.md)."""

# Not the empty time, and nothing near the ends of the calendar, where reckoning with times stops.
_TIME = re.compile(r"(?:19|20|21)\d\d-\d\d-\d\d \d\d:\d\d:\d\d")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Head(msgspec.Struct):
    """What a page's elements are told apart by; every type is taken, because one wrong element must not hide the others."""

    uuid: Any = None
    edit_date: Any = None
    active: Any = 1
    company_uuid: Any = ""
    job_uuid: Any = ""
    tax_rate_uuid: Any = ""
    status: Any = ""
    quote_date: Any = ""

    def was_quote(self) -> bool:
        """Whether this job is or ever was a quote: the stamp stays when the status goes on."""
        return self.status == QUOTE or is_time(self.quote_date)


class Vendor(msgspec.Struct):
    """The account. https://developer.servicem8.com/reference/listvendors"""

    uuid: str
    name: str = ""
    currency: str = ""
    timezone_name: str = ""


def decode_object(payload: bytes) -> dict[str, Any]:
    """One object with exact numbers. Raises ValueError."""
    try:
        document = _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"The object is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("The object is not a JSON object.")
    return document


def is_active(flag: Any) -> bool:
    """Whether a record lives; what is not plainly no is yes."""
    return flag not in (0, "0", False)


def is_time(value: Any) -> bool:
    """Whether this is one of the provider's time stamps and not its empty one."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def text_of(value: Any) -> str:
    """A text, trimmed; nothing for everything that is no text."""
    return value.strip() if isinstance(value, str) else ""
