"""A worker for one delivery in a process of its own: `python -m tests.deliveries.worker ORGANIZATION DELIVERY LEASE_SECONDS`."""

import asyncio
import sys
from uuid import UUID

from app.bootstrap import Hub
from app.settings import Settings


async def main(organization_id: UUID, delivery_id: UUID, lease_seconds: float) -> None:
    async with Hub(Settings.from_environment()) as hub:
        hub.deliveries.lease_seconds = lease_seconds
        await hub.deliveries.deliver(organization_id, delivery_id)


if __name__ == "__main__":
    asyncio.run(main(UUID(sys.argv[1]), UUID(sys.argv[2]), float(sys.argv[3])))
