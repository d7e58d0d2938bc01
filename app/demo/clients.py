"""The client of the demo: the one with the most quotes to decide, and somebody who decides them in the portal."""

from dataclasses import dataclass
from uuid import UUID

from app.actors import Actor
from app.bootstrap import Hub
from app.database import fetch_row
from app.demo.settings import DemoRefused

MOST_OPEN_QUOTES = """
SELECT m.record_id, q.contact_name, count(*) AS quotes
FROM quote q
JOIN mapping m ON m.organization_id = q.organization_id AND m.connection_id = q.connection_id
              AND m.external_id = q.contact_external_id AND m.stream = 'companies'
WHERE q.organization_id = $1 AND q.status = 'open' AND q.contact_name <> ''
GROUP BY m.record_id, q.contact_name, q.client_id, q.connection_id
ORDER BY q.client_id IS NULL, q.connection_id <> $2, count(*) DESC, m.record_id
LIMIT 1
"""

CONTACT_NAME = "Nina Novak"


@dataclass(frozen=True, slots=True)
class DemoContact:
    """Somebody who decides for a client."""

    id: UUID
    name: str
    client_name: str


async def contact_with_open_quotes(hub: Hub, owner: Actor, connection_id: UUID) -> DemoContact:
    """The contact who was invited before while its client has open quotes, else a new one, of this connection if it can be.

    Raises DemoRefused when every quote is decided.
    """
    row = await fetch_row(owner.scope, MOST_OPEN_QUOTES, owner.organization_id, connection_id)
    if row is None:
        raise DemoRefused("Every quote of the demo is decided; start it with --fresh.")
    record_id = UUID(str(row["record_id"]))
    contact = await hub.clients.invite(
        owner,
        contact_record_id=record_id,
        email=f"nina.{record_id.hex[-8:]}@clients.test",
        name=CONTACT_NAME,
        idempotency_key=f"demo-{record_id}",
    )
    return DemoContact(contact.id, contact.name, row["contact_name"])
