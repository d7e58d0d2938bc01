"""What of the seeded records is special: where a test finds it, and what no reader can take as it is."""

from . import seed_documents, seed_partners
from .config import SandboxConfig
from .document_types import DOCUMENT_TYPES


def partner_id(index: int) -> str:
    """The id of a seeded partner."""
    return str(seed_partners.FIRST_ID + index * seed_partners.STEP)


def document_id(doc_type: str, index: int) -> str:
    """The id of a seeded document."""
    return str(DOCUMENT_TYPES[doc_type].first_id + index * seed_documents.STEP)


def broken_records(config: SandboxConfig) -> list[dict[str, str]]:
    """The records that are broken on purpose, with what is wrong."""
    if not config.broken_records:
        return []
    partner, offers = seed_partners.NO_NAME, (seed_documents.UNREADABLE_DATE, seed_documents.COMMA_DECIMALS)
    broken = [{"object": "partner", "mk_id": partner_id(partner), "fault": "no name"}] if config.sizes.partners > partner else []
    faults = zip(offers, ("a date that does not exist", "decimal commas in all numbers"), strict=True)
    return broken + [
        {"object": "sales_offer", "mk_id": document_id("sales_offer", index), "fault": fault}
        for index, fault in faults
        if config.sizes.offers > index
    ]
