"""What settings must look like; pure."""

from datetime import UTC, datetime

import pytest

from app.connections import rules
from app.connections.models import ConnectionMode
from app.connectors.base import Account
from app.connectors.servicem8.connector import BASE_URL, connector
from app.errors import InvalidInput

KEY = "smk-0123456789abcdef"
SANDBOX = "http://127.0.0.1:8100"


def problems(values):
    with pytest.raises(InvalidInput) as refused:
        rules.decode_settings(connector, values)
    return dict(refused.value.fields)


def test_settings_come_typed_and_with_their_defaults():
    decoded = rules.decode_settings(connector, {"api_key": f" {KEY} ", "timeout_seconds": "12.5", "attempts": "5", "base_url": ""})

    assert (decoded.api_key, decoded.timeout_seconds, decoded.attempts, decoded.base_url) == (KEY, 12.5, 5, BASE_URL)


def test_every_field_says_what_is_wrong_with_it():
    found = problems({"timeout_seconds": "soon", "attempts": 99, "base_url": "ftp://x", "colour": "red"})

    assert set(found) == {"api_key", "timeout_seconds", "attempts", "base_url", "colour"}
    assert found["api_key"] == "This is needed."
    assert found["attempts"] == "Write a number of at least 1 and at most 10."
    assert found["colour"] == "ServiceM8 has no setting of this name."


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e999", True, [], {"a": 1}, "9" * 5000])
def test_numbers_are_numbers(value):
    assert "timeout_seconds" in problems({"api_key": KEY, "timeout_seconds": value})


@pytest.mark.parametrize("secret", ["short", "two\nlines-of-a-secret", "s3cret" * 1000, 12345])
def test_a_refusal_never_repeats_a_secret(secret):
    with pytest.raises(InvalidInput) as refused:
        rules.decode_settings(connector, {"api_key": secret})

    shown = f"{refused.value!r} {refused.value.message} {refused.value.fields}"
    assert str(secret) not in shown
    assert set(refused.value.fields) == {"api_key"}


@pytest.mark.parametrize(
    "url",
    [
        *("https://user:pass@api.example.com", "https://api.example.com?key=1", "https://api.example.com#x", "https://", "api.example.com"),
        *("javascript:alert(1)", "https://a\\b.example", "https://api.example.com:99999", "https://[::1"),
    ],
)
def test_an_address_is_scheme_host_and_path(url):
    assert set(problems({"api_key": KEY, "base_url": url})) == {"base_url"}


def test_secrets_and_settings_have_their_own_places():
    with pytest.raises(InvalidInput) as refused:
        rules.check_places(connector, {"api_key": KEY}, {"base_url": SANDBOX})

    assert set(refused.value.fields) == {"api_key", "base_url"}


def check_mode(mode, url, *, sandboxes=True, sandbox_urls=(SANDBOX,)):
    rules.check_mode(connector, {"base_url": url}, mode, sandboxes=sandboxes, sandbox_urls=sandbox_urls)


@pytest.mark.parametrize("url", [SANDBOX, "http://127.0.0.1:8100/", "HTTP://127.0.0.1:8100/api"])
def test_a_live_connection_never_points_at_a_sandbox(url):
    check_mode(ConnectionMode.SANDBOX, url)
    with pytest.raises(InvalidInput) as refused:
        check_mode(ConnectionMode.LIVE, url)
    assert set(refused.value.fields) == {"base_url"}


def test_a_sandbox_connection_points_at_nothing_else():
    check_mode(ConnectionMode.LIVE, BASE_URL)
    for url in (BASE_URL, "http://127.0.0.1:8101"):
        with pytest.raises(InvalidInput) as refused:
            check_mode(ConnectionMode.SANDBOX, url)
        assert set(refused.value.fields) == {"base_url"}
    with pytest.raises(InvalidInput) as refused:
        check_mode(ConnectionMode.SANDBOX, SANDBOX, sandboxes=False)
    assert set(refused.value.fields) == {"mode"}


def test_the_end_of_a_secret_is_shown_only_where_it_gives_nothing_away():
    now = datetime(2026, 11, 21, tzinfo=UTC)

    shown = rules.hints({"api_key": "smk-0123456789abcdef", "pin": "12345678"}, now)

    assert {name: hint["last_four"] for name, hint in shown.items()} == {"api_key": "cdef", "pin": ""}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Account(id="1", name="Renamed", currency="EUR", time_zone="Europe/Ljubljana"), None),
        (Account(id="2", name="Other", currency="EUR", time_zone="Europe/Ljubljana"), "another account"),
        (Account(id="1", name="Acme", currency="USD", time_zone="Europe/Ljubljana"), "currency is now USD"),
        (Account(id="1", name="Acme", currency="EUR", time_zone="Europe/London"), "time zone is now Europe/London"),
    ],
)
def test_an_account_stays_the_same_account(found, words):
    known = Account(id="1", name="Acme", currency="EUR", time_zone="Europe/Ljubljana")

    difference = rules.difference(known, found)

    assert difference is None if words is None else words in difference
