"""Transforms by tables of words."""

from functools import lru_cache
from itertools import islice
from typing import Any

from babel import Locale, UnknownLocaleError

from app.connectors.base import Account
from app.mappings.transforms.pairs import Pair, shown

_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_SHOWN_WORDS = 10
"""So many words of a table are named where none of them was found."""


def enum(*pairs: str) -> Pair:
    """`"Work Order=work_order"`, …: the provider's word to ours. An unknown word is refused, never guessed, on both ways."""
    if not pairs or any("=" not in pair for pair in pairs):
        raise ValueError('a table of words has pairs like "Work Order=work_order"')
    table = dict(pair.split("=", 1) for pair in pairs)
    if len(table) < len(pairs):
        raise ValueError("a word of the provider stands twice in the table")
    back = {ours: theirs for theirs, ours in table.items()}
    if len(back) < len(table):
        return Pair(_looked_up(table), None, "two of its words mean the same, so the way back is not one to one", tuple(back))
    return Pair(_looked_up(table), _looked_up(back), examples=tuple(back))


def _looked_up(table: dict[str, str]) -> Any:
    def apply(value: Any, account: Account) -> str:
        try:
            return table[value]
        except (KeyError, TypeError):
            words = [*map(shown, islice(table, _SHOWN_WORDS)), *(["…"] if len(table) > _SHOWN_WORDS else [])]
            raise ValueError(f"{shown(value)} is not one of {', '.join(words)}") from None

    return apply


def country(*languages: str) -> Pair:
    """A country's name in one of the languages (English without any) to its ISO 3166 code; written in the first language.

    A text that is no country's name there stays as it is, on both ways. A name where the hub wants the code is not written:
    it would come back as the code.
    """
    names = _names(languages or ("en",))
    codes = _codes(languages[0] if languages else "en")

    def pull(value: Any, account: Account) -> Any:
        return names.get(value.strip().casefold(), value) if isinstance(value, str) else value

    def push(value: Any, account: Account) -> Any:
        if not isinstance(value, str) or value in codes:
            return codes.get(value, value)
        if code := names.get(value.strip().casefold()):
            raise ValueError(f"write the country {shown(value)} as its code, {code}")
        return value

    return Pair(pull, push, examples=("SI", "US", "BA", "Ruritania"))


@lru_cache(maxsize=64)
def _names(languages: tuple[str, ...]) -> dict[str, str]:
    """Code by name, the first language's names before the others'."""
    found: dict[str, str] = {}
    for language in languages:
        for code, name in _codes(language).items():
            found.setdefault(name.casefold(), code)
    return found


@lru_cache(maxsize=64)
def _codes(language: str) -> dict[str, str]:
    """Name by ISO 3166 code."""
    try:
        territories = Locale.parse(language).territories
    except (UnknownLocaleError, ValueError):
        raise ValueError(f"{shown(language)} is not a language that has names of countries") from None
    return {code: name for code, name in territories.items() if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES}
