"""The demo's ServiceM8: its sandbox, on the demo's records, that remembers what was changed when it is started again.

    python -m app.demo.provider --port PORT --memory FILE

Without a memory a restarted demo would meet a provider that has forgotten every decision it was told.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from app.connectors.servicem8.sandbox import create_app
from app.connectors.servicem8.sandbox.changes import settle_all
from app.connectors.servicem8.sandbox.sandbox import Sandbox
from app.connectors.servicem8.sandbox.seed import demo_config
from app.connectors.servicem8.sandbox.server import Protocol
from app.connectors.servicem8.sandbox.table import Record, Table, Values

TABLES = ("company", "companycontact", "job", "jobmaterial", "note")
UNCHANGING = {"GET", "HEAD", "OPTIONS"}

Memory = dict[str, dict[str, list[Values]]]


class Remembering:
    """Writes down, after every request that may change something, all records that differ from the seed."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox, memory: Path) -> None:
        self.app = app
        self.sandbox = sandbox
        self.memory = memory
        self.seeded = {record.uuid: hash(record.encoded) for _, _, record in self._records()}
        self._recall()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] not in UNCHANGING:
            self._write_down()

    def _records(self) -> Iterator[tuple[str, Table, Record]]:
        for account in self.sandbox.store.accounts:
            for name in TABLES:
                for record in account.tables[name]:
                    yield account.config.uuid, account.tables[name], record

    def _write_down(self) -> None:
        changed: Memory = {}
        for account, table, record in self._records():
            if self.seeded.get(record.uuid) != hash(record.encoded):
                changed.setdefault(account, {}).setdefault(table.type.name, []).append(record.values)
        draft = self.memory.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(changed))
        draft.rename(self.memory)

    def _recall(self) -> None:
        if not self.memory.exists():
            return
        changed = msgspec.json.decode(self.memory.read_bytes(), type=Memory)
        for account in self.sandbox.store.accounts:
            for name, values in changed.get(account.config.uuid, {}).items():
                for one in values:
                    _put(account.tables[name], one)
            numbers = (int(job.values["generated_job_id"]) for job in account.tables["job"] if job.values["generated_job_id"].isdigit())
            account.last_job_number = max(numbers, default=account.last_job_number)
            settle_all(account)


def _put(table: Table, values: Values) -> None:
    if record := table.get(values["uuid"]):
        table.change(record, values)
    else:
        table.add(values)


def remembering_app(memory: Path) -> ASGIApp:
    """The sandbox with the demo's records and what `memory` holds of their changes."""
    app: Starlette = create_app(demo_config())
    return Remembering(app, app.state.sandbox, memory)


def main() -> None:
    """Serve on the loopback interface until a signal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--memory", type=Path, required=True)
    arguments = parser.parse_args()
    uvicorn.run(
        remembering_app(arguments.memory),
        host="127.0.0.1",
        port=arguments.port,
        http=Protocol,
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main()
