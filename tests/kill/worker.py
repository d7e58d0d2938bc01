"""A worker that kills itself with SIGKILL at a chosen moment: `python -m tests.kill.worker MOMENT`.

before_commit:N    just before the N-th COMMIT is sent: the transaction is lost
after_commit:N     when Postgres has carried out the N-th COMMIT, before the process learns of it
seconds:S          S seconds after it began to work
lease:S            works until it is told to stop; its deliveries and runs are held for S seconds at a time
never              works until it is told to stop
"""

import asyncio
import os
import signal
import sys
from typing import Any

from app import database
from app.deliveries.service import DeliveryService
from app.logs import configure_logs
from app.settings import Settings
from app.syncs import engine, leases
from jobs.worker import run_worker


def main(moment: str) -> None:
    kind, _, value = moment.partition(":")
    if kind in ("before_commit", "after_commit"):
        database._Connection = _dying_connection(int(value), after=kind == "after_commit")  # type: ignore[misc]
    elif kind == "seconds":
        database._prepare_connection = _dying_later(database._prepare_connection, float(value))
    elif kind == "lease":
        DeliveryService.__init__.__kwdefaults__["lease_seconds"] = float(value)
        leases.LEASE_SECONDS = engine.LEASE_SECONDS = float(value)  # type: ignore[assignment]
    settings = Settings.from_environment()
    configure_logs(settings.log_level)
    run_worker(settings)


def _dying_connection(at: int, *, after: bool) -> type[database._Connection]:
    commits = 0

    class DyingConnection(database._Connection):
        async def execute(self, query: str, *arguments: Any, timeout: float | None = None) -> str:
            nonlocal commits
            if query != "COMMIT":
                return await super().execute(query, *arguments, timeout=timeout)
            commits += 1
            if commits == at and not after:
                _die()
            status = await super().execute(query, *arguments, timeout=timeout)
            if commits >= at:
                _die()
            return status

    return DyingConnection


def _dying_later(prepare: Any, seconds: float) -> Any:
    armed = False

    async def prepare_and_arm(connection: Any) -> None:
        nonlocal armed
        if not armed:
            armed = True
            asyncio.get_running_loop().call_later(seconds, _die)
        await prepare(connection)

    return prepare_and_arm


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
