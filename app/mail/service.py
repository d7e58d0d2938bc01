"""Mail: written in the transaction that causes it, sent by a worker, kept for the console where there is no mail server."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from app.actors import Actor, Permission, Scope
from app.database import after_commit, transaction
from app.errors import HubError
from app.ids import new_id
from app.mail import repository, rules, smtp
from app.mail.models import Mail, MailStatus
from app.organizations.tokens import without_tokens
from app.paging import PageRequest, ResultPage
from app.queue import JobQueue
from app.settings import Settings

_log = structlog.get_logger(__name__)


class MailService:
    """Writing, sending and showing mails."""

    def __init__(self, settings: Settings, queue: JobQueue, now: Callable[[], datetime]) -> None:
        self.server = smtp.mail_server(settings)
        self.sender = smtp.sender(settings)
        self.queue = queue
        self.now = now

    async def add(
        self, scope: Scope, *, recipient: str, subject: str, body: str, purpose: str, once_per: timedelta | None = None
    ) -> UUID | None:
        """Write a mail inside the caller's transaction; it is sent after the commit.

        With `once_per`, nothing is written (None) when the recipient got one for the same purpose within that time.
        """
        rules.check(recipient, subject)
        mail_id, now = new_id(), self.now()
        added = await repository.add(
            scope,
            mail_id,
            recipient=recipient,
            subject=subject,
            body=body,
            purpose=purpose,
            status=MailStatus.QUEUED if self.server else MailStatus.KEPT,
            now=now,
            unless_since=None if once_per is None else now - once_per,
        )
        if added and self.server:
            after_commit(lambda: self.queue.ring("send_mail", scope.organization_id, mail_id))
        return mail_id if added else None

    async def tell_operators(self, scope: Scope, *, subject: str, body: str, purpose: str, once_per: timedelta | None = None) -> int:
        """A mail to every owner and operator, inside the caller's transaction (of the whole organization). How many."""
        recipients = await repository.operators(scope)
        added = [
            await self.add(scope, recipient=recipient, subject=subject, body=body, purpose=purpose, once_per=once_per)
            for recipient in recipients
        ]
        return sum(mail_id is not None for mail_id in added)

    async def send(self, organization_id: UUID, mail_id: UUID) -> None:
        """Send a mail that is due; one that is not, or that another worker has, is left alone."""
        scope, now = Scope(organization_id), self.now()
        async with transaction(scope):
            mail = await repository.claim(scope, mail_id, now=now, lease_until=now + rules.LEASE)
        if mail is not None:
            await self._attempt(scope, mail)

    async def _attempt(self, scope: Scope, mail: Mail) -> None:
        if self.server is None:
            await self._finish(scope, mail, MailStatus.KEPT)
            return
        try:
            await smtp.send(self.server, self.sender, mail)
        except HubError as error:
            await self._failed(scope, mail, error)
        else:
            await self._finish(scope, mail, MailStatus.SENT)

    async def _failed(self, scope: Scope, mail: Mail, error: HubError) -> None:
        _log.warning("mail not sent", mail_id=str(mail.id), attempt=mail.attempts, error=error.message)
        if isinstance(error, smtp.MailRefused) or mail.attempts >= rules.ATTEMPTS:
            await self._finish(scope, mail, MailStatus.FAILED, error.message)
            return
        pause = rules.pause_after(mail.attempts)
        async with transaction(scope):
            await repository.postpone(scope, mail, error=error.message, until=self.now() + pause)
        await self.queue.ring("send_mail", scope.organization_id, mail.id, attempt=mail.attempts, delay=pause.total_seconds())

    async def _finish(self, scope: Scope, mail: Mail, status: MailStatus, error: str | None = None) -> None:
        """A link that signs in is readable no longer than somebody needs to read it here."""
        body = mail.body if status is MailStatus.KEPT else without_tokens(mail.body)
        sent_at = self.now() if status is MailStatus.SENT else None
        async with transaction(scope):
            await repository.finish(scope, mail, status, body=body, error=error, sent_at=sent_at)

    async def kept(self, actor: Actor, page: PageRequest, *, status: MailStatus = MailStatus.KEPT) -> ResultPage[Mail]:
        """Mails, newest first. For owners only: a kept mail may hold a link with which somebody else signs in."""
        actor.require(Permission.MANAGE_PEOPLE)
        found = await repository.page(actor.scope, status=status, first=page.first, after=page.key(UUID))
        return ResultPage.cut(found, page.first, lambda mail: mail.id)
