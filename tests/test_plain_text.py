"""Texts that people give."""

import pytest

from app.plain_text import is_one_line, is_storable, one_line


@pytest.mark.parametrize("text", ["Žiga Čuk", "👩‍🔧 Ana", "שלום \u200fעולם", "a b", ""])
def test_every_script_can_be_a_name(text):
    assert is_one_line(text)
    assert is_storable(text)


@pytest.mark.parametrize("text", ["a\nb", "a\r\nBcc: c", "a\x00", "a\u2028b", "\ud800", "bell\x07"])
def test_what_would_break_a_line_or_the_database_is_no_name(text):
    assert not is_one_line(text)


def test_blanks_are_made_one():
    assert one_line("  Head \n\t office ") == "Head office"


@pytest.mark.parametrize("text", ["a\x00b", "\udfff"])
def test_what_postgres_does_not_take(text):
    assert not is_storable(text)
