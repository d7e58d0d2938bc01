"""Jobs of the decisions lane: what somebody waits for."""

from typing import Any
from uuid import UUID

Context = dict[str, Any]


async def deliver(ctx: Context, organization_id: str, delivery_id: str) -> None:
    await ctx["hub"].deliveries.deliver(UUID(organization_id), UUID(delivery_id))


async def send_mail(ctx: Context, organization_id: str, mail_id: str) -> None:
    await ctx["hub"].mail.send(UUID(organization_id), UUID(mail_id))
