"""How values read in a page: money, quantities, times, counts. Pure; templates know them as filters."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.numbers import format_currency, format_decimal, get_currency_precision

LOCALE = "en"
NO_CURRENCY = "XXX"


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency, always: €1,240.00. ISO 4217's XXX ("no currency") leaves the number alone."""
    if amount is None:
        return "—"
    if currency == NO_CURRENCY:
        return str(format_decimal(amount, format="#,##0.00", locale=LOCALE))
    return _apart(format_currency(amount, currency, locale=LOCALE))


def unit_price(amount: Decimal, currency: str) -> str:
    """A unit price with the provider's digits where they go beyond the currency's: €0.0425."""
    digits, usual = -int(amount.normalize().as_tuple().exponent), get_currency_precision(currency)
    if digits <= usual:
        return money(amount, currency)
    pattern = f"#,##0.{'0' * usual}{'#' * min(digits - usual, 8)}"
    if currency == NO_CURRENCY:
        return str(format_decimal(amount, format=pattern, locale=LOCALE))
    return _apart(format_currency(amount, currency, format=f"¤{pattern}", currency_digits=False, locale=LOCALE))


def _apart(text: str) -> str:
    """A currency without a sign of its own stands apart from the number: CHF 1,240.00 (CLDR's alphaNextToNumber)."""
    return re.sub(r"([A-Za-z])(\d)", "\\1\N{NO-BREAK SPACE}\\2", text)


def number(value: Decimal | float) -> str:
    """A count or a quantity without needless zeros: 1,204 and 2.5."""
    return str(format_decimal(value, format="#,##0.######", locale=LOCALE))


def percent(rate: Decimal | float) -> str:
    """A rate in percent, as providers give it: 10 becomes 10 %."""
    return f"{number(rate)} %"


def local(moment: datetime, zone: str) -> datetime:
    """The moment on the clocks of a time zone; UTC for a zone that this machine does not know."""
    try:
        return moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return moment.astimezone(ZoneInfo("UTC"))


def exact(moment: datetime, zone: str) -> str:
    """21 November 2026 at 14:03 (Europe/Ljubljana)."""
    return f"{day(moment, zone)} at {local(moment, zone):%H:%M} ({zone})"


def at(moment: datetime, now: datetime, zone: str) -> str:
    """The moment in the middle of a sentence: "at 14:03" today, else "on 3 November at 14:03"."""
    there, here = local(moment, zone), local(now, zone)
    if there.date() == here.date():
        return f"at {there:%H:%M}"
    year = "" if there.year == here.year else f" {there.year}"
    return f"on {there.day} {there:%B}{year} at {there:%H:%M}"


def day(moment: datetime, zone: str) -> str:
    """21 November 2026."""
    there = local(moment, zone)
    return f"{there.day} {there:%B %Y}"


def plain_date(value: date | None) -> str:
    """A day of the calendar, the same in every time zone: 21 November 2026."""
    return f"{value.day} {value:%B %Y}" if value else "—"


def relative(moment: datetime, now: datetime, zone: str) -> str:
    """As a person says it: "3 minutes ago", "in 2 hours", "yesterday at 14:03", and from two days away the date."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 45:
        return "just now" if seconds >= 0 else "in a moment"
    if abs(seconds) < 22 * 3600 and (abs(seconds) < 6 * 3600 or local(moment, zone).date() == local(now, zone).date()):
        span = duration(abs(seconds))
        return f"{span} ago" if seconds > 0 else f"in {span}"
    return _by_day(moment, now, zone)


def _by_day(moment: datetime, now: datetime, zone: str) -> str:
    there, here = local(moment, zone), local(now, zone)
    days = (there.date() - here.date()).days
    if days in _DAYS:
        return f"{_DAYS[days]} at {there:%H:%M}"
    return f"{there.day} {there:%b}" if there.year == here.year else f"{there.day} {there:%b %Y}"


_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}


def duration(seconds: float | timedelta | None) -> str:
    """The largest unit that says enough: 1 minute, 3 hours, 2 days."""
    if seconds is None:
        return "—"
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if total >= length * 0.95:
            return plural(round(total / length), unit)
    return plural(max(1, round(total)), "second")


def milliseconds(value: float) -> str:
    """A response time: 84 ms, 1.2 s."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def plural(count: int, singular: str, several: str | None = None) -> str:
    """1 line, 3 lines."""
    return f"{number(count)} {singular if count == 1 else several or singular + 's'}"


def call_path(url: str) -> str:
    """What tells one call to a provider from another: its path and query, readable and not longer than a line."""
    parts = urlsplit(url)
    path = unquote(parts.path + (f"?{parts.query}" if parts.query else ""))
    return path if len(path) <= 90 else f"{path[:89]}…"


def initials(name: str) -> str:
    """Up to two letters for a monogram: Kranj Electrics → KE."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "·"
