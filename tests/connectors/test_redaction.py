"""No known secret passes, in whatever spelling it comes back."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from app.connectors.auth import api_key, basic, bearer
from app.connectors.redaction import Redactor

SECRET = 'p@ss/wörd+"1"'
REDACTOR = Redactor([SECRET, "abc"])


@pytest.mark.parametrize(
    "spelling",
    [
        *(SECRET, SECRET.upper(), quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), quote(SECRET, safe="").lower()),
        *(json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), repr(SECRET), base64.b64encode(SECRET.encode()).decode()),
    ],
)
def test_a_secret_is_hidden_in_every_spelling(spelling: str):
    text = REDACTOR.clean(f"before {spelling} after")

    assert "[hidden]" in text
    assert "rd" not in text
    assert text.startswith("before ")
    assert text.endswith(" after")


def test_short_values_do_not_blank_ordinary_words():
    assert REDACTOR.clean("the abc of it") == "the abc of it"


def test_a_secret_is_hidden_before_the_text_is_cut():
    assert "p@ss" not in REDACTOR.quote("x" * 495 + SECRET)
    assert len(REDACTOR.quote("y" * 2000)) == 500


def test_control_characters_and_line_breaks_do_not_pass():
    assert REDACTOR.quote("one\r\ntwo\x1b[31m\x00three") == "one two [31m three"


@pytest.mark.parametrize("authorization", [api_key("X", "sekret-1"), bearer("sekret-1"), basic("user", "sekret-1")])
def test_an_authorization_shows_nothing(authorization: object):
    assert "sekret" not in repr(authorization)
    assert "sekret-1" in authorization.secrets  # type: ignore[attr-defined]


def test_without_secrets_nothing_is_hidden():
    assert Redactor([]).clean("anything") == "anything"
