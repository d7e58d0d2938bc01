"""The demo's Metakocka: its sandbox, with a few hundred partners, that remembers what was changed when it is started again.

python -m app.demo.metakocka --port PORT --memory FILE
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.types import ASGIApp

from app.connectors.metakocka.sandbox import SandboxConfig, Sizes, create_app
from app.connectors.metakocka.sandbox.company import Company
from app.connectors.metakocka.sandbox.documents import Document
from app.connectors.metakocka.sandbox.sandbox import Sandbox
from app.connectors.metakocka.sandbox.wire import Values
from app.demo.remembering import Remembering
from app.demo.serving import serve_sandbox

CONFIG = SandboxConfig(sizes=Sizes(partners=300, offers=40, orders=60, bills=40, products=80), broken_records=False, control=True)
ROW = "row"
"""What the sandbox calls the ids of documents' lines."""


class Memory(msgspec.Struct):
    """What differs from the seed, by table and id: partners and products, documents, and the ids of what was deleted."""

    records: dict[str, dict[int, Values]]
    documents: dict[str, dict[int, Document]]
    deleted: dict[str, set[int]]

    def tables(self) -> dict[str, dict[int, Any]]:
        """Records and documents alike."""
        return {**self.records, **self.documents}


class Changes:
    """What was changed in the sandbox's one company since the seed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.company = sandbox.company_of(None)
        self.deleted: defaultdict[str, set[int]] = defaultdict(set)

    def encoded(self) -> bytes:
        """All of it, for `recall`. Called after every request, because only the last one's deletions can be seen."""
        company = self._present_company()
        for change in company.journal.last:
            if change.effect == "deleted":
                self.deleted[change.table.name].add(change.mk_id)
        tables = {name: table.kept for name, table in company.tables().items() if table.kept}
        documents = {name: kept for name, kept in tables.items() if name in company.documents}
        records = {name: kept for name, kept in tables.items() if name not in company.documents}
        return msgspec.json.encode({"records": records, "documents": documents, "deleted": self.deleted})

    def _present_company(self) -> Company:
        """The company, which after a reset is a new one without changes."""
        company = self.sandbox.company_of(None)
        if company is not self.company:
            self.company = company
            self.deleted.clear()
        return company

    def recall(self, encoded: bytes) -> None:
        """Put it into a sandbox that has only the seed."""
        memory = msgspec.json.decode(encoded, type=Memory)
        tables: dict[str, Any] = self.company.tables()
        for name, ids in memory.deleted.items():
            self.deleted[name] |= ids
            for mk_id in ids:
                tables[name].place(mk_id, None)
        for name, kept in memory.tables().items():
            for mk_id, record in kept.items():
                tables[name].place(mk_id, record)
        for name, mk_ids in _ids_in(memory).items():
            _go_on_after(self.company, name, max(mk_ids))


def _ids_in(memory: Memory) -> dict[str, set[int]]:
    """All ids of each kind that are taken: also those of partners' addresses and contacts, and of documents' lines."""
    taken = {name: set(ids) for name, ids in memory.deleted.items() if ids}
    for name, kept in memory.tables().items():
        taken.setdefault(name, set()).update(kept)
    for partner in memory.records.get("partner", {}).values():
        taken["partner"].update(_inner_ids(partner))
    rows = {int(line["mk_row_id"]) for kept in memory.documents.values() for one in kept.values() for line in one.lines}
    return {**taken, ROW: rows} if rows else taken


def _inner_ids(partner: Values) -> Iterator[int]:
    for name in ("partner_delivery_address_list", "partner_contact_list"):
        yield from (int(one["mk_id"]) for one in partner.get(name, ()))


def _go_on_after(company: Company, kind: str, highest: int) -> None:
    """Use up the ids until the highest, and as many numbers: neither is given twice, though some numbers may be skipped."""
    while int(company.new_id(kind)) <= highest:
        if kind != ROW:
            company.new_number(kind)


def remembering_app(memory: Path) -> ASGIApp:
    """The sandbox with its seed and what `memory` holds of later changes."""
    app: Starlette = create_app(CONFIG)
    changes = Changes(app.state.sandbox)
    if memory.exists():
        changes.recall(memory.read_bytes())
    return Remembering(app, memory, changes.encoded)


if __name__ == "__main__":
    serve_sandbox("Metakocka", remembering_app)
