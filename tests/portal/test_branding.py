"""Any accent an organization chooses stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.branding import DARK_GROUND, LIGHT_GROUND, TEXT_CONTRAST, contrast, readable, stylesheet, text_on

colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(color=colors)
@pytest.mark.parametrize("ground", [LIGHT_GROUND, DARK_GROUND, "#ffffff", "#141312"])
def test_an_accent_is_readable_as_text_in_both_schemes(ground: str, color: str) -> None:
    assert contrast(readable(color, ground), ground) >= TEXT_CONTRAST


@given(color=colors)
def test_the_text_on_a_button_is_readable(color: str) -> None:
    assert contrast(text_on(color), color) >= TEXT_CONTRAST


def test_a_colour_that_is_readable_already_is_kept() -> None:
    assert readable("#1f5f5b", LIGHT_GROUND) == "#1f5f5b"


def test_the_stylesheet_holds_nothing_but_custom_properties() -> None:
    assert stylesheet("#1f5f5b").startswith(":root{--accent:light-dark(#1f5f5b,")
