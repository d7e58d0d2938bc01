"""Tokens name their organization; only their digest is stored."""

import pytest

from app.errors import NotSignedIn
from app.ids import new_id
from app.organizations import tokens


def test_a_token_names_its_organization():
    organization_id = new_id()

    token = tokens.new_token(organization_id)

    assert token.startswith(f"cw_{organization_id.hex}_")
    assert tokens.parse(token) == organization_id
    assert len(tokens.digest(token)) == 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cw_",
        "Bearer cw_x_y",
        "cw_" + "0" * 32,
        "cw_" + "0" * 32 + "_short",
        "cw_" + "G" * 32 + "_" + "a" * 43,
        "cw_" + "0" * 32 + "_" + "a" * 43 + "\n",
        "cw_" + "٠" * 32 + "_" + "a" * 43,
        "cw_" + "0" * 32 + "_" + "é" * 43,
    ],
)
def test_what_is_not_one_of_our_tokens_signs_nobody_in(text):
    with pytest.raises(NotSignedIn):
        tokens.parse(text)


def test_a_text_can_be_kept_without_the_tokens_in_it():
    token = tokens.new_token(new_id())

    kept = tokens.without_tokens(f"open https://hub.test/portal/a/sign-in/{token}\nand this: {token}.")

    assert token not in kept
    assert kept == "open https://hub.test/portal/a/sign-in/cw_…\nand this: cw_…."
