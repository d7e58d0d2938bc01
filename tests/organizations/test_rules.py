"""Who may sign in how; pure."""

from datetime import UTC, datetime, timedelta

import pytest

from app.actors import Actor, ActorKind, Permission, Role, Scope
from app.errors import InvalidInput, PermissionDenied
from app.ids import new_id
from app.organizations import rules
from app.organizations.models import Door

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.mark.parametrize("text", ["a@b.example", " Žiga@Podjetje.SI ", "first.last+tag@sub.example.com"])
def test_addresses_are_stored_in_small_letters(text):
    assert rules.email_address(text) == text.strip().lower()


@pytest.mark.parametrize(
    "text",
    ["", "nobody", "a@b", "a@b@c.example", "a b@c.example", "a@c.example\nBcc: x@y.example", "<a@b.example>", "a@b.example,c@d.example"],
)
def test_what_is_no_single_address_is_refused(text):
    with pytest.raises(InvalidInput) as refused:
        rules.email_address(text)
    assert "email" in refused.value.fields


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("/portal/acme/quotes/1?tab=lines", "/portal/acme/quotes/1?tab=lines"),
        ("/portal", "/portal"),
        ("/console/acme", None),
        ("//evil.example", None),
        ("https://evil.example/portal/", None),
        ("/portal/\\evil.example", None),
        ("/portal/../console", None),
        ("/portalx", None),
        ("/portal/a\r\nSet-Cookie: x", None),
        (None, None),
    ],
)
def test_a_link_leads_only_behind_its_own_door(path, safe):
    assert rules.safe_next_path(Door.PORTAL, path) == safe


@pytest.mark.parametrize(
    ("used", "disabled", "age", "problem"),
    [
        (False, False, 14, None),
        (False, False, 15, "expired"),
        (True, False, 1, "used"),
        (True, True, 1, "disabled"),
    ],
)
def test_why_a_link_cannot_be_used(used, disabled, age, problem):
    expires_at = NOW + timedelta(minutes=15)

    assert rules.link_problem(now=NOW + timedelta(minutes=age), expires_at=expires_at, used=used, disabled=disabled) == problem


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("what?", "unknown"),
    ],
)
def test_requests_are_counted_for_an_address_or_an_ipv6_network(ip, network):
    assert rules.network_of(ip) == network


def test_nobody_hands_out_more_than_they_have():
    token = Actor(
        Scope(new_id()),
        ActorKind.API_TOKEN,
        Role.OWNER,
        "CI",
        new_id(),
        scopes=frozenset({Permission.MANAGE_PEOPLE, Permission.READ_QUOTES}),
    )

    rules.check_grant(token, Role.VIEWER, frozenset({Permission.READ_QUOTES}))
    with pytest.raises(PermissionDenied):
        rules.check_grant(token, Role.VIEWER)
    with pytest.raises(PermissionDenied):
        rules.check_grant(token, Role.OWNER)
