"""Mails: written with the work that causes them, sent by a worker, kept where there is no server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.actors import Scope
from app.database import execute, fetch, fetch_value, transaction
from app.errors import InvalidInput
from app.ids import new_id
from app.mail import rules, texts
from app.mail.models import MailStatus
from app.mail.service import MailService
from app.mail.smtp import may_be_plain
from app.organizations.tokens import new_token
from app.paging import PageRequest
from app.settings import Secret, SettingInvalid, Settings
from tests.mail.smtp_server import SmtpServer, running_smtp_server


class Bell:
    """A queue that notes its rings."""

    def __init__(self) -> None:
        self.rings: list[tuple[str, UUID, UUID, int, float]] = []

    async def ring(self, job: str, organization_id: UUID, subject_id: UUID, *, attempt: int = 0, delay: float = 0) -> None:
        self.rings.append((job, organization_id, subject_id, attempt, delay))


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    async with running_smtp_server() as server:
        yield server


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def mail(hub, settings, smtp, bell) -> MailService:
    """A mail service with a server in a network that this deployment allows."""
    with_server = replace(settings, smtp_url=Secret(f"smtp://127.0.0.1:{smtp.port}"), mail_from="Žana <hub@crosswalk.test>")
    return MailService(with_server, bell, hub.now)


async def write(service, scope, **values):
    async with transaction(scope):
        return await service.add(
            scope, **({"recipient": "ana@example.test", "subject": "Dober dan – ✓", "body": "Žiga\n", "purpose": "test"} | values)
        )


async def stored(owner, mail_id):
    rows = await fetch(owner.scope, "SELECT * FROM mail WHERE organization_id = $1 AND id = $2", owner.organization_id, mail_id)
    return rows[0]


async def test_a_mail_is_sent_after_its_transaction(owner, mail, smtp, bell):
    mail_id = await write(mail, owner.scope)
    await mail.send(owner.organization_id, mail_id)

    [message] = smtp.received
    row = await stored(owner, mail_id)
    assert bell.rings == [("send_mail", owner.organization_id, mail_id, 0, 0)]
    assert (message["To"], message["Subject"], message["From"]) == ("ana@example.test", "Dober dan – ✓", "Žana <hub@crosswalk.test>")
    assert message["Message-ID"] == f"<{mail_id}@crosswalk.test>"
    assert message.get_content().strip() == "Žiga"
    assert (row["status"], row["attempts"]) == ("sent", 1)
    assert row["sent_at"] is not None


async def test_a_mail_of_work_that_failed_was_never_written(owner, mail, bell):
    with pytest.raises(ZeroDivisionError):
        async with transaction(owner.scope):
            await mail.add(owner.scope, recipient="a@b.test", subject="x", body="x", purpose="x")
            raise ZeroDivisionError

    assert bell.rings == []
    assert (
        await fetch_value(owner.scope, "SELECT count(*) FROM mail WHERE organization_id = $1 AND purpose = 'x'", owner.organization_id) == 0
    )


async def test_workers_that_ring_at_once_send_one_mail(owner, mail, smtp):
    mail_id = await write(mail, owner.scope)

    await asyncio.gather(*(mail.send(owner.organization_id, mail_id) for _ in range(8)))

    assert len(smtp.received) == 1


async def test_a_link_that_signs_in_is_cut_out_of_a_mail_that_was_sent(owner, mail, smtp):
    token = new_token(owner.organization_id)
    mail_id = await write(mail, owner.scope, body=f"http://hub.test/sign-in/{token}\n")

    await mail.send(owner.organization_id, mail_id)

    assert token in smtp.received[0].get_content()
    assert (await stored(owner, mail_id))["body"] == "http://hub.test/sign-in/cw_…\n"


async def test_a_refused_address_is_final(owner, mail, smtp, bell):
    smtp.answers["RCPT"] = "550 no such user"
    mail_id = await write(mail, owner.scope)

    await mail.send(owner.organization_id, mail_id)

    row = await stored(owner, mail_id)
    assert (row["status"], row["error"]) == ("failed", "The mail server does not take mail for this address (SMTP 550).")
    assert len(bell.rings) == 1


@pytest.mark.parametrize(("verb", "answer"), [("RCPT", "451 later"), ("DATA", "452 full"), ("MAIL", "421 closing")])
async def test_a_server_that_is_busy_is_tried_again_later(owner, mail, smtp, bell, verb, answer):
    smtp.answers[verb] = answer
    mail_id = await write(mail, owner.scope)

    await mail.send(owner.organization_id, mail_id)

    row = await stored(owner, mail_id)
    assert (row["status"], row["attempts"]) == ("queued", 1)
    assert 25 < (row["next_attempt_at"] - datetime.now(UTC)).total_seconds() < 40
    assert bell.rings[1][3] == 1
    await mail.send(owner.organization_id, mail_id)
    assert (await stored(owner, mail_id))["attempts"] == 1


async def test_after_the_last_attempt_a_mail_has_failed(owner, mail, smtp):
    smtp.answers["MAIL"] = "451 later"
    mail_id = await write(mail, owner.scope)
    async with transaction(owner.scope):
        await execute(owner.scope, "UPDATE mail SET attempts = $2 WHERE organization_id = $1", owner.organization_id, rules.ATTEMPTS - 1)

    await mail.send(owner.organization_id, mail_id)

    assert (await stored(owner, mail_id))["status"] == "failed"


async def test_a_refused_password_is_said_without_the_password(owner, hub, settings, smtp, bell):
    smtp.answers["AUTH"] = "535 wrong password s3cret-mail"
    url = Secret(f"smtp://mailer:s3cret-mail@127.0.0.1:{smtp.port}")
    service = MailService(replace(settings, smtp_url=url), bell, hub.now)
    mail_id = await write(service, owner.scope)

    await service.send(owner.organization_id, mail_id)

    row = await stored(owner, mail_id)
    assert (row["status"], row["error"]) == ("queued", "The mail server refused the user name or password in CROSSWALK_SMTP_URL.")
    assert "s3cret" not in repr(service.server)


async def test_a_machines_own_credentials_are_not_asked_for_by_mail_either(owner, hub, settings, bell):
    service = MailService(replace(settings, smtp_url=Secret("smtp://169.254.169.254:80")), bell, hub.now)
    mail_id = await write(service, owner.scope)

    await service.send(owner.organization_id, mail_id)

    row = await stored(owner, mail_id)
    assert (row["status"], row["attempts"]) == ("queued", 1)
    assert "not a public address" in row["error"]


async def test_the_mail_server_is_no_door_for_connections(hub, owner, mail, smtp):
    url = f"http://127.0.0.1:{smtp.port}"

    result = await hub.connections.test_settings(owner, "servicem8", {"base_url": url, "attempts": 1}, {"api_key": "smk-0123456789"})

    assert (result.ok, result.code) == (False, "address_refused")
    assert smtp.commands == []


@pytest.mark.parametrize(
    ("addresses", "plain"),
    [(["127.0.0.1"], True), (["10.1.2.3", "fd12::1"], True), (["93.184.216.34"], False), (["10.1.2.3", "93.184.216.34"], False)],
)
def test_mail_goes_unencrypted_only_within_a_private_network(addresses, plain):
    assert may_be_plain(addresses) is plain


async def test_without_a_server_mails_are_kept_for_owners_to_read(hub, owner):
    mail_id = await write(hub.mail, owner.scope, subject="Kept")

    [mail, *_] = (await hub.mail.kept(owner, PageRequest())).items
    assert (mail.id, mail.subject, mail.status) == (mail_id, "Kept", MailStatus.KEPT)
    await hub.mail.send(owner.organization_id, mail_id)
    assert (await stored(owner, mail_id))["status"] == "kept"


async def test_a_mail_that_waited_is_kept_when_the_server_is_gone(hub, owner, mail):
    mail_id = await write(mail, owner.scope)

    await hub.mail.send(owner.organization_id, mail_id)

    assert (await stored(owner, mail_id))["status"] == "kept"


async def test_one_mail_for_one_purpose_is_enough_for_a_while(hub, owner):
    first = await write(hub.mail, owner.scope, purpose="trouble", once_per=timedelta(hours=1))
    second = await write(hub.mail, owner.scope, purpose="trouble", once_per=timedelta(hours=1))
    other = await write(hub.mail, owner.scope, purpose="trouble", recipient="b@example.test", once_per=timedelta(hours=1))

    assert (first is not None, second, other is not None) == (True, None, True)


async def test_what_a_client_does_may_write_a_mail_that_it_cannot_read(hub, owner):
    client_id = new_id()
    async with transaction(owner.scope):
        await execute(owner.scope, "INSERT INTO client (id, organization_id, name) VALUES ($1, $2, 'K')", client_id, owner.organization_id)
    scope = Scope(owner.organization_id, client_id)

    mail_id = await write(hub.mail, scope, purpose="receipt", once_per=timedelta(hours=1))

    assert await fetch_value(scope, "SELECT count(*) FROM mail WHERE organization_id = $1", owner.organization_id) == 0
    assert (await stored(owner, mail_id))["purpose"] == "receipt"


@pytest.mark.parametrize("values", [{"recipient": "a@b.test\nBcc: c@d.test"}, {"subject": "x\r\nBcc: c@d.test"}, {"recipient": "nobody"}])
async def test_a_header_cannot_be_smuggled_in(hub, owner, values):
    with pytest.raises(InvalidInput):
        await write(hub.mail, owner.scope, **values)


async def test_mails_of_another_organization_are_not_sent_by_their_id_alone(hub, owner, mail, smtp):
    mail_id = await write(mail, owner.scope)

    await mail.send(new_id(), mail_id)

    assert smtp.received == []


def test_a_server_is_named_by_an_address():
    with pytest.raises(SettingInvalid, match="CROSSWALK_SMTP_URL"):
        MailService(Settings(smtp_url=Secret("mail.example.com")), Bell(), lambda: datetime.now(UTC))


@pytest.mark.parametrize("sender", ["", "nobody", "a b@c", "<@>"])
def test_a_sender_is_an_address(sender):
    with pytest.raises(SettingInvalid, match="CROSSWALK_MAIL_FROM"):
        MailService(Settings(mail_from=sender), Bell(), lambda: datetime.now(UTC))


@pytest.mark.parametrize("recipient", ["žiga@podjetje.test", "a@", "@", "a@b@c.test", "a;b@c.test"])
async def test_an_address_that_no_server_takes_ends_as_a_failed_mail(owner, mail, smtp, recipient):
    smtp.answers["RCPT"] = "553 no such mailbox"
    mail_id = await write(mail, owner.scope, recipient=recipient)
    async with transaction(owner.scope):
        await execute(owner.scope, "UPDATE mail SET attempts = $2 WHERE organization_id = $1", owner.organization_id, rules.ATTEMPTS - 1)

    await mail.send(owner.organization_id, mail_id)

    assert (await stored(owner, mail_id))["status"] == "failed"


def test_pauses_grow_to_an_hour():
    seconds = [rules.pause_after(attempt, luck=0).total_seconds() for attempt in range(1, rules.ATTEMPTS)]

    assert seconds == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.parametrize(
    ("lifetime", "words"),
    [
        (timedelta(minutes=15), "15 minutes"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=7), "7 days"),
    ],
)
def test_lifetimes_in_words(lifetime, words):
    assert texts.in_words(lifetime) == words
