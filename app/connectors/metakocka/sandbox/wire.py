"""How Metakocka writes values: everything is text, nothing empty is there, dates carry +02:00 all year."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

Values = dict[str, Any]

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
CENT = Decimal("0.01")
_ISO_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})\+02:00")
_DOTTED_DAY = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
# What the vendor's samples show as a bare object when there is one element.
BARE_WHEN_SINGLE = frozenset(("product_list", "result", "price_def", "complaint_products", "packlist_accform_list", "categories"))


def text_of(value: object) -> str:
    """A scalar as text; nothing is an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def is_true(value: object) -> bool:
    return text_of(value).strip().lower() == "true"


def given_texts(given: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """The named scalars that were sent and are not empty, trimmed."""
    texts = {name: text_of(given.get(name)).strip() for name in names if not isinstance(given.get(name), (dict, list))}
    return {name: text for name, text in texts.items() if text}


def as_list(value: object) -> list[Any]:
    """A list that may have come as its only element; nothing is an empty one."""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def objects_in(value: object) -> list[Values]:
    """The objects of a list; anything else in it is left out."""
    return [one for one in as_list(value) if isinstance(one, dict)]


def day_in(text: str) -> str | None:
    """The day of a request in ISO form; None unless it is `YYYY-MM-DD+02:00` or `dd.mm.yyyy`."""
    if match := _ISO_DAY.fullmatch(text):
        day = match[1]
    elif match := _DOTTED_DAY.fullmatch(text):
        day = f"{match[3]}-{match[2]}-{match[1]}"
    else:
        return None
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return None


def day_out(day: str) -> str:
    """A day as replies have it; the suffix does not follow the season."""
    return f"{day}+02:00"


def dotted(day: str) -> str:
    """A day as payments have it."""
    return ".".join(reversed(day.split("-")))


def moment_out(moment: datetime) -> str:
    """A moment as replies have it: Ljubljana's wall clock, and +02:00 in winter too."""
    return moment.astimezone(LJUBLJANA).strftime("%Y-%m-%dT%H:%M:%S+02:00")


def today(moment: datetime) -> str:
    return moment.astimezone(LJUBLJANA).date().isoformat()


def wall_clock(text: str) -> str | None:
    """The wall clock of a timestamp in a request, its offset ignored; None if it is none."""
    match = _MOMENT.match(text)
    return match[0] if match else None


def decimal_in(value: object) -> Decimal | None:
    """A number of a request, with a point or, as one vendor sample sends it, a comma."""
    text = text_of(value).strip()
    if "," in text:
        text = text.replace(".", "").replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def decimal_out(number: Decimal) -> str:
    """A number without trailing zeros or exponent."""
    return f"{number.normalize():f}" if number else "0"


def money(number: Decimal) -> Decimal:
    """Rounded to the cent."""
    return number.quantize(CENT, rounding=ROUND_HALF_UP)


def with_comma(text: str) -> str:
    """A number as people in Slovenia write it, "1.895,01"; other texts stay."""
    number = decimal_in(text)
    if number is None or "," in text:
        return text
    whole, _, fraction = text.partition(".")
    return f"{int(whole):,}".replace(",", ".") + (f",{fraction}" if fraction else "") if whole.lstrip("-").isdigit() else text


def bare_singles(value: Any, names: frozenset[str] | None) -> Any:
    """The same with lists of one element as that element: those with these names, or all for None."""
    if isinstance(value, dict):
        return {name: _bare(bare_singles(one, names), name, names) for name, one in value.items()}
    if isinstance(value, list):
        return [bare_singles(one, names) for one in value]
    return value


def _bare(value: Any, name: str, names: frozenset[str] | None) -> Any:
    is_single = isinstance(value, list) and len(value) == 1 and (names is None or name in names)
    return value[0] if is_single else value
