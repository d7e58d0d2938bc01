"""Texts that people give, as they can be stored and shown."""

import unicodedata

_UNUSABLE = {"Cc", "Cs"}
"""Control characters and halves of surrogate pairs; what joins emoji or turns the direction of writing is fine."""


def one_line(text: str) -> str:
    """The text with every run of white space made one blank; nothing where nobody would see anything."""
    return " ".join(text.split()) if is_visible(text) else ""


def is_visible(text: str) -> bool:
    """Whether a reader sees something: not only blanks, also none of no width, and marks of direction."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def is_one_line(text: str) -> bool:
    """Whether it can stand in a heading: no line break, nothing that cannot be stored."""
    return text.splitlines() in ([text], []) and not any(unicodedata.category(character) in _UNUSABLE for character in text)


def is_storable(text: str) -> bool:
    """Whether Postgres takes it: UTF-8 without NUL."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
