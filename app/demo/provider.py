"""The demo's ServiceM8: its sandbox, on the demo's records, that remembers what was changed when it is started again.

python -m app.demo.provider --port PORT --memory FILE
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.types import ASGIApp

from app.connectors.servicem8.sandbox import create_app
from app.connectors.servicem8.sandbox.changes import settle_all
from app.connectors.servicem8.sandbox.sandbox import Sandbox
from app.connectors.servicem8.sandbox.seed import demo_config
from app.connectors.servicem8.sandbox.table import Record, Table, Values
from app.demo.remembering import Remembering
from app.demo.serving import serve_sandbox

TABLES = ("company", "companycontact", "job", "jobmaterial", "note")

Memory = dict[str, dict[str, list[Values]]]


class Changes:
    """The records that differ from the seed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.seeded = {record.uuid: hash(record.encoded) for _, _, record in self._records()}

    def _records(self) -> Iterator[tuple[str, Table, Record]]:
        for account in self.sandbox.store.accounts:
            for name in TABLES:
                for record in account.tables[name]:
                    yield account.config.uuid, account.tables[name], record

    def encoded(self) -> bytes:
        """All of them, for `recall`."""
        changed: Memory = {}
        for account, table, record in self._records():
            if self.seeded.get(record.uuid) != hash(record.encoded):
                changed.setdefault(account, {}).setdefault(table.type.name, []).append(record.values)
        return msgspec.json.encode(changed)

    def recall(self, encoded: bytes) -> None:
        """Put them into a sandbox that has only the seed."""
        changed = msgspec.json.decode(encoded, type=Memory)
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
    changes = Changes(app.state.sandbox)
    if memory.exists():
        changes.recall(memory.read_bytes())
    return Remembering(app, memory, changes.encoded)


if __name__ == "__main__":
    serve_sandbox("ServiceM8", remembering_app)
