"""Transforms of numbers and of yes and no."""

from decimal import Decimal, InvalidOperation
from typing import Any

from app.connectors.base import Account
from app.mappings.transforms.pairs import Pair, shown

_NO = frozenset({"0", "", "false", "no"})
_YES = frozenset({"1", "true", "yes"})


def number(point: str = ".") -> Pair:
    """An exact number; written with its digits and that decimal sign, without exponent and thousands. Nothing is an empty text."""
    if point not in (".", ","):
        raise ValueError(f"{point!r} is not a decimal sign; take . or ,")

    def pull(value: Any, account: Account) -> Decimal | None:
        return exact(value.replace(",", ".") if point == "," and isinstance(value, str) else value)

    def push(value: Any, account: Account) -> str:
        amount = exact(value)
        return "" if amount is None else f"{amount:f}".replace(".", point)

    return Pair(pull, push)


def exact(value: Any) -> Decimal | None:
    """An exact, finite number; None for nothing. Raises ValueError for NaN, infinities and other texts."""
    if value is None or value == "":
        return None
    try:
        result = value if type(value) is Decimal else Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{shown(value)} is not a number") from None
    if not result.is_finite():
        raise ValueError(f"{shown(value)} is not a finite number")
    if abs(result.adjusted()) > 20:
        raise ValueError(f"{shown(value)} is out of range")
    return result


def integer() -> Pair:
    """A whole number. Nothing is written as an empty text."""

    def pull(value: Any, account: Account) -> int | None:
        amount = exact(value)
        if amount is None:
            return None
        if amount != amount.to_integral_value():
            raise ValueError(f"{shown(value)} is not a whole number")
        return int(amount)

    return Pair(pull, lambda value, account: "" if value is None else pull(value, account))


def flag(yes: str | None = None, no: str | None = None) -> Pair:
    """Yes and no in the provider's words ("true", "false"); without words 1 and 0 are written.

    1, true and yes are read as yes beside the own word, 0, false, no and nothing as no.
    """
    if (yes is None) != (no is None) or (yes is not None and yes == no):
        raise ValueError("a flag has two different words, for yes and for no, or none")
    is_yes = (_YES | {str(yes).lower()}) - {str(no).lower()} if yes is not None else _YES
    is_no = (_NO | {str(no).lower()}) - {str(yes).lower()} if no is not None else _NO

    def pull(value: Any, account: Account) -> bool:
        if value is None:
            return False
        word = value if value in ("true", "false") else str(value).strip().lower()
        if word in is_no:
            return False
        if word in is_yes:
            return True
        raise ValueError(f"{shown(value)} is neither yes nor no")

    def push(value: Any, account: Account) -> Any:
        if not isinstance(value, bool):
            raise ValueError(f"{shown(value)} is neither yes nor no")
        return (1 if value else 0) if yes is None else (yes if value else no)

    return Pair(pull, push)
