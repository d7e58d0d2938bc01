"""One Metakocka company: its records, its registers, and the numbers it gives."""

from itertools import count
from typing import Protocol

from app.connectors.sandbox_kit.clock import Clock

from .config import CompanyConfig, SandboxConfig
from .document_types import DOCUMENT_TYPES
from .documents import Document
from .partner_table import PartnerTable
from .seed_documents import DocumentMaker
from .seed_partners import FIRST_NUMBER, PartnerMaker
from .seed_products import FIRST_ID as FIRST_PRODUCT_ID
from .seed_products import STEP as PRODUCT_STEP
from .seed_products import ProductMaker, index_of_code, index_of_number
from .table import Journal, Table
from .wire import Values, moment_out, today

FIRST_NEW_IDS = {"partner": 229_000_000_000, "product": 151_000_000_000, "row": 1_900_000_000_000}
NEW_DOCUMENTS_FROM = 500_000_000
DOCUMENT_STEP = 10
PRODUCT_INDEXES = {"code": index_of_code, "count_code": index_of_number}


class Surroundings(Protocol):
    """What a company needs of the sandbox that it is in."""

    config: SandboxConfig
    clock: Clock


class Company:
    """One company with everything that its people and its programs have put there."""

    def __init__(self, described: CompanyConfig, around: Surroundings) -> None:
        self.described = described
        self._around = around
        self.journal = Journal()
        config, sizes = around.config, around.config.sizes
        self.partners = PartnerTable(self.journal, PartnerMaker(config.seed, config.broken_records), sizes.partners)
        products = ProductMaker(config.seed)
        self.products: Table[Values] = Table(
            "product", self.journal, first=FIRST_PRODUCT_ID, step=PRODUCT_STEP, count=sizes.products, make=products.make
        )
        maker = DocumentMaker(config.seed, sizes, today(around.clock.now()), self.described, config.broken_records)
        self.documents = {name: self._documents(name, maker) for name in DOCUMENT_TYPES}
        self._ids = {kind: count(first) for kind, first in FIRST_NEW_IDS.items()}
        self._ids |= {name: count(one.first_id + NEW_DOCUMENTS_FROM, DOCUMENT_STEP) for name, one in DOCUMENT_TYPES.items()}
        self._numbers = {"partner": count(FIRST_NUMBER + sizes.partners), "product": count(sizes.products + 100)}
        self._numbers |= {name: count(table.count + 1) for name, table in self.documents.items()}

    @property
    def config(self) -> SandboxConfig:
        """The sandbox's settings as they are now."""
        return self._around.config

    def tables(self) -> dict[str, Table[Values] | Table[Document]]:
        """All tables by the name that the ledger gives their records."""
        return {"partner": self.partners, "product": self.products, **self.documents}

    def moment(self) -> str:
        """Now, as on the wire."""
        return moment_out(self._around.clock.now())

    def today(self) -> str:
        return today(self._around.clock.now())

    def new_id(self, kind: str) -> str:
        return str(next(self._ids[kind]))

    def new_number(self, kind: str, prefix: str | None = None) -> str:
        """The next number of the company's own series, under another prefix if one is given."""
        number = next(self._numbers[kind])
        if kind == "partner":
            return str(number)
        if kind == "product":
            return f"PA_{number}_PA"
        return f"{DOCUMENT_TYPES[kind].number_prefix if prefix is None else prefix}{number}"

    def product_by(self, name: str, text: str) -> Values | None:
        """The product with this code or number, found without going through all."""
        made = self.products.made_at(PRODUCT_INDEXES[name](text))
        if made is not None and made.get(name) == text:
            return made
        return next((one for one in self.products.kept.values() if text and one.get(name) == text), None)

    def _documents(self, name: str, maker: DocumentMaker) -> Table[Document]:
        first = DOCUMENT_TYPES[name].first_id
        make = maker.makers.get(name, maker.make_none)
        return Table(name, self.journal, first=first, step=DOCUMENT_STEP, count=maker.count_of(name), make=make)
