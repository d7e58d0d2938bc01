"""A document as the sandbox keeps it, and what every call does to find and to number one."""

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .answers import Failed, invalid
from .document_types import DOCUMENT_TYPES, DocumentType
from .wire import Values, text_of

if TYPE_CHECKING:
    from .company import Company


_PLACE = re.compile(r"[0-9]{1,7}$")


@dataclass(frozen=True, slots=True)
class Party:
    """A partner with one of its addresses."""

    mk_id: str
    mk_address_id: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `header` has texts by their names on the wire, days in ISO form; `status` is the register's key.

    `comma_decimals` makes a reply's numbers look as people write them, whatever the sandbox's setting.
    """

    mk_id: str
    doc_type: str
    count_code: str
    partner: Party
    header: Values
    lines: tuple[Values, ...] = ()
    receiver: Party | None = None
    status: str = ""
    offers: tuple[str, ...] = ()
    extra: Values | None = None
    payments: tuple[Values, ...] = ()
    log: tuple[Values, ...] = ()
    comma_decimals: bool = False

    @property
    def changed_at(self) -> str:
        """The moment of the latest entry of the change log, as on the wire."""
        return str(self.log[-1]["operation_time"]) if self.log else ""


def type_in(given: Values) -> DocumentType:
    """The type that a request names."""
    name = text_of(given.get("doc_type"))
    if name not in DOCUMENT_TYPES:
        raise invalid(f"Unknown document type : {name}")
    return DOCUMENT_TYPES[name]


def no_document(doc_type: str, key: str, value: str) -> Failed:
    return invalid(f"Cannot find document type {doc_type} with {key} = {value}")


def found_by(company: "Company", type: DocumentType, mk_id: str) -> Document:
    """The document with this id."""
    document = company.documents[type.name].get(mk_id)
    if document is None:
        raise no_document(type.name, "id", mk_id)
    return document


def found_by_text(company: "Company", type: DocumentType, name: str, text: str) -> Document:
    """The first document with this number or reference of the buyer."""
    document = document_by(company, type, name, text)
    if document is None:
        raise no_document(type.name, name, text)
    return document


def document_by(company: "Company", type: DocumentType, name: str, text: str) -> Document | None:
    """The same, or None. Seeded documents carry their place at the end of both texts, so that not all are looked at."""
    table = company.documents[type.name]
    place = _PLACE.search(text)
    made = table.made_at(int(place[0]) - 1) if place else None
    kept = (one for mk_id in sorted(table.kept) if (one := table.get(mk_id)) is not None)
    return next((one for one in ([made] if made else []) + list(kept) if _text(one, name) == text), None)


def _text(document: Document, name: str) -> object:
    return document.count_code if name == "count_code" else document.header.get(name)


def logged(company: "Company", document: Document, operation: str, **more: str) -> Document:
    """The document with one more entry in its change log; entries of one second keep their order."""
    entry = {"operation_type": operation, "operation_time": company.moment(), "user_email": company.described.users[0], **more}
    return replace(document, log=(*document.log, entry))


def keep(company: "Company", document: Document) -> Document:
    company.documents[document.doc_type].put(int(document.mk_id), document)
    return document


def status_key(type: DocumentType, text: str) -> str:
    """The key of a status; the register's own text is no key."""
    if text not in type.statuses:
        raise invalid(f"Paramether 'status_code' has invalid value : {text}. Valid values : {','.join(type.statuses)}")
    return text


def with_status(company: "Company", document: Document, key: str) -> Document:
    """The document with that status, logged if it is another one."""
    if key == document.status:
        return document
    changed = replace(document, status=key)
    return logged(company, changed, "DOCUMENT_STATUS_CHANGE", value_previous=document.status, value_new=key)
