"""Hands one mail to the mail server, in a thread: smtplib blocks.

An outbound guard decides where to connect, like for everything that leaves the hub.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from app.connectors.guard import OutboundGuard
from app.errors import FixBy, HubError
from app.mail.models import Mail
from app.settings import SettingInvalid, Settings

_TIMEOUT_SECONDS = 30.0
_PORTS = {"smtp": 587, "smtps": 465}


class MailRefused(HubError):
    """The mail server refused this mail for good."""

    code = "mail_refused"
    fix_by = FixBy.CUSTOMER


class MailServerUnavailable(HubError):
    """The mail server could not be used; the mail is tried again."""

    code = "mail_server_unavailable"
    fix_by = FixBy.TIME


@dataclass(frozen=True, slots=True)
class MailServer:
    """`smtp://` turns to TLS before anything is said (STARTTLS); `smtps://` begins with it."""

    host: str
    port: int
    tls_first: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def mail_server(settings: Settings) -> MailServer | None:
    """The one in the settings. Raises SettingInvalid."""
    if settings.smtp_url is None:
        return None
    parts = urlsplit(settings.smtp_url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SettingInvalid("CROSSWALK_SMTP_URL cannot be read: write smtp(s)://user:password@host:port.")
    user, password = (unquote(text) if text else None for text in (parts.username, parts.password))
    return MailServer(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password)


def sender(settings: Settings) -> Address:
    """Whom mails come from. Raises SettingInvalid."""
    name, address = parseaddr(settings.mail_from)
    try:
        return Address(name, addr_spec=address)
    except (ValueError, IndexError, HeaderParseError):
        raise SettingInvalid("CROSSWALK_MAIL_FROM cannot be read: write Crosswalk <crosswalk@example.com>.") from None


def guard_of(server: MailServer) -> OutboundGuard:
    """Lets through what the deployment itself named, on a private network too; connections of tenants gain nothing by it."""
    return OutboundGuard(sandbox_urls=[f"smtp://{server.host}:{server.port}"])


async def send(server: MailServer, sender: Address, mail: Mail) -> None:
    """Raises MailRefused, MailServerUnavailable, ConnectorError (of the guard)."""
    addresses = await guard_of(server).resolve_checked(server.host, server.port)
    try:
        message = _message(sender, mail)
    except (ValueError, IndexError, HeaderParseError):
        raise MailRefused("This mail cannot be addressed.") from None
    try:
        await asyncio.to_thread(_send, server, addresses, message)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(next(iter(error.recipients.values()))[0], "does not take mail for this address") from None
    except smtplib.SMTPAuthenticationError:
        raise MailServerUnavailable("The mail server refused the user name or password in CROSSWALK_SMTP_URL.") from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, "refused the mail") from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailServerUnavailable(f"The mail server could not be used ({type(error).__name__}).") from None


def may_be_plain(addresses: Sequence[str]) -> bool:
    """Whether mail may go unencrypted: only where it does not leave the private network."""
    return not any(ip_address(address).is_global for address in addresses)


def _send(server: MailServer, addresses: Sequence[str], message: EmailMessage) -> None:
    context = ssl.create_default_context()
    smtp = smtplib.SMTP_SSL(timeout=_TIMEOUT_SECONDS, context=context) if server.tls_first else smtplib.SMTP(timeout=_TIMEOUT_SECONDS)
    # The certificate is checked for the name, the socket goes to the address that the guard checked.
    smtp._host = server.host  # type: ignore[attr-defined]  # the name that TLS must prove; smtplib keeps it privately
    with smtp:
        _connect(smtp, addresses, server.port)
        smtp.ehlo()
        if not server.tls_first and smtp.has_extn("starttls"):
            smtp.starttls(context=context)
        elif not server.tls_first and not may_be_plain(addresses):
            raise smtplib.SMTPNotSupportedError
        if server.user is not None:
            smtp.login(server.user, server.password or "")
        smtp.send_message(message)


def _connect(smtp: smtplib.SMTP, addresses: Sequence[str], port: int) -> None:
    """To the first of the checked addresses that answers."""
    *others, last = addresses
    for address in others:
        try:
            smtp.connect(address, port)
        except OSError:
            continue
        return
    smtp.connect(last, port)


def _message(sender: Address, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    # The same for each attempt: mail systems drop the second copy if an attempt's answer was lost.
    message["Message-ID"] = f"<{mail.id}@{sender.domain or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message


def _refusal(code: int, what: str) -> HubError:
    """5xx is for good, 4xx for the moment (RFC 5321, 4.2.1)."""
    if code >= 500:
        return MailRefused(f"The mail server {what} (SMTP {code}).")
    return MailServerUnavailable(f"The mail server {what} for the moment (SMTP {code}).")
