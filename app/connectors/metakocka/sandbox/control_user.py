"""The MK user: adds, edits and deletes partners and documents without the checks of the API, as in the provider's own screens."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.connectors.sandbox_kit.control_answers import ControlError, given_object, json_answer

from .company import Company
from .config import Percent
from .document_types import DOCUMENT_TYPES
from .document_view import shown_document
from .documents import Document, Party, keep, logged, with_status
from .partners import keep_partner
from .sandbox import Sandbox
from .table import Table
from .wire import Values, objects_in, text_of

USER_ROUTES = {
    "GET /sandbox/partners/{mk_id}": "a partner; every route here takes ?company_id=, else it means the first company",
    "POST /sandbox/partners": 'add a partner: {"customer":"Žarek d.o.o.","partner_contact_list":[{"name":"Ana"}],'
    '"partner_delivery_address_list":[{"street":"Dunajska 1"}]}',
    "POST /sandbox/partners/{mk_id}": "edit: fields as given, null removes; the two lists replace those there, keeping entries' "
    "other fields by mk_id",
    "DELETE /sandbox/partners/{mk_id}": "delete a partner, as only an MK user can",
    "GET /sandbox/documents/{doc_type}": "the ids and numbers of all documents of a type",
    "GET /sandbox/documents/{doc_type}/{mk_id}": "a document with its change log, payments and row ids",
    "POST /sandbox/documents/{doc_type}": 'add a document: fields, "status" (a key), "product_list", "partner":{"mk_id","mk_address_id"}',
    "POST /sandbox/documents/{doc_type}/{mk_id}": 'edit: fields as given, null removes; "product_list" replaces the lines',
    "DELETE /sandbox/documents/{doc_type}/{mk_id}": "delete a document",
    "POST /sandbox/visibility": 'let a part of the records be seen: {"object":"partner","percent":3}; 100 shows all again',
}
LINE_NAMES = frozenset(("mk_id", "amount", "price", "price_with_tax", "discount", "tax", "tax_factor", "doc_desc", "name_desc"))


class VisibilityWish(msgspec.Struct, forbid_unknown_fields=True):
    """How much of an object's first records can be seen, in percent."""

    object: str
    percent: Percent


class MkUser:
    """The routes of the MK user. What they do is not in the ledger, which holds the API's writes."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        one_document = "/documents/{doc_type}/{mk_id}"
        return [
            Route("/partners", self._edit_and_show(self.add_partner), methods=["POST"]),
            Route("/partners/{mk_id}", self._edit_and_show(self.partner), methods=["GET"]),
            Route("/partners/{mk_id}", self._edit_and_show(self.edit_partner), methods=["POST"]),
            Route("/partners/{mk_id}", self._edit_and_show(self.delete), methods=["DELETE"]),
            Route("/documents/{doc_type}", self._edit_and_show(self.documents), methods=["GET"]),
            Route("/documents/{doc_type}", self._edit_and_show(self.add_document), methods=["POST"]),
            Route(one_document, self._edit_and_show(self.document), methods=["GET"]),
            Route(one_document, self._edit_and_show(self.edit_document), methods=["POST"]),
            Route(one_document, self._edit_and_show(self.delete), methods=["DELETE"]),
            Route("/visibility", self._edit_and_show(self.show_percent), methods=["POST"]),
        ]

    def _edit_and_show(self, work: Callable[[Company, Request, Values], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            company = self.sandbox.company_of(request.query_params.get("company_id"))
            given = await given_object(request)
            company.journal.begin()
            shown = work(company, request, given)
            self.sandbox.webhooks.tell(company, company.journal.end())
            return json_answer(shown)

        return endpoint

    def partner(self, company: Company, request: Request, given: Values) -> Values:
        found = company.partners.get(request.path_params["mk_id"])
        if found is None:
            raise ControlError(404, "There is no such partner.")
        return found

    def add_partner(self, company: Company, request: Request, given: Values) -> Values:
        flags = {"business_entity": "true", "taxpayer": "false", "foreign_county": "false", "buyer": "true", "supplier": "false"}
        head = {"mk_id": company.new_id("partner"), "count_code": company.new_number("partner"), **flags}
        return keep_partner(company, _edited_partner(company, head, given))

    def edit_partner(self, company: Company, request: Request, given: Values) -> Values:
        return keep_partner(company, _edited_partner(company, self.partner(company, request, given), given))

    def documents(self, company: Company, request: Request, given: Values) -> list[Values]:
        return [{"mk_id": one.mk_id, "count_code": one.count_code, "status": one.status} for one in self._table(company, request)]

    def document(self, company: Company, request: Request, given: Values) -> Values:
        return _shown(company, self._document(company, request))

    def add_document(self, company: Company, request: Request, given: Values) -> Values:
        type = DOCUMENT_TYPES[self._table(company, request).name]
        header = {"doc_date": company.today(), "currency_code": "EUR", "warehouse": "GL"}
        new = Document(company.new_id(type.name), type.name, company.new_number(type.name), Party("", ""), header, status=type.first_status)
        return self._keep(company, logged(company, _edited_document(company, new, given), "NEW"), given)

    def edit_document(self, company: Company, request: Request, given: Values) -> Values:
        edited = _edited_document(company, self._document(company, request), given)
        return self._keep(company, logged(company, edited, "CHANGE"), given)

    def delete(self, company: Company, request: Request, given: Values) -> Values:
        """Delete a partner or document."""
        table = self._table(company, request) if "doc_type" in request.path_params else company.partners
        mk_id = request.path_params["mk_id"]
        if table.get(mk_id) is None:
            raise ControlError(404, "There is no such record.")
        table.put(int(mk_id), None)
        return {"deleted": mk_id}

    def show_percent(self, company: Company, request: Request, given: Values) -> Values:
        wish = msgspec.convert(given, type=VisibilityWish)
        tables = company.tables()
        if wish.object not in tables:
            raise ControlError(404, f"There is no object {wish.object}.")
        tables[wish.object].show_percent(wish.percent)
        return {"object": wish.object, "visible": len(tables[wish.object])}

    def _table(self, company: Company, request: Request) -> Table[Document]:
        doc_type = request.path_params["doc_type"]
        if doc_type not in company.documents:
            raise ControlError(404, f"There is no document type {doc_type}.")
        return company.documents[doc_type]

    def _document(self, company: Company, request: Request) -> Document:
        found = self._table(company, request).get(request.path_params["mk_id"])
        if found is None:
            raise ControlError(404, "There is no such document.")
        return found

    def _keep(self, company: Company, document: Document, given: Values) -> Values:
        kept = keep(company, with_status(company, document, text_of(given["status"])) if "status" in given else document)
        return _shown(company, kept)


def _shown(company: Company, document: Document) -> Values:
    return shown_document(
        company, document, dict.fromkeys(("return_document_info", "show_payment_detail", "show_product_detail", "show_tax_factor"), "true")
    )


def _edited_partner(company: Company, partner: Values, given: Values) -> Values:
    """The partner after an edit: contacts without an address hang on the first one."""
    lists = {name: _edited_list(company, partner, name, given) for name in ("partner_delivery_address_list", "partner_contact_list")}
    first_address = next((one["mk_id"] for one in lists["partner_delivery_address_list"]), "")
    lists["partner_contact_list"] = [{"mk_address_id": first_address, **one} for one in lists["partner_contact_list"]]
    fields = {name: value for name, value in given.items() if name not in ("mk_id", *lists)}
    return {**partner, **fields, **lists}


def _edited_list(company: Company, partner: Values, name: str, given: Values) -> list[Values]:
    before = objects_in(partner.get(name))
    if name not in given:
        return before
    known = {one["mk_id"]: one for one in before}
    entries = []
    for one in objects_in(given[name]):
        mk_id = text_of(one.get("mk_id")) or company.new_id("partner")
        defaults = {"address_type": "Račun"} if name == "partner_delivery_address_list" else {}
        merged = {**(known.get(mk_id) or defaults), **one, "mk_id": mk_id}
        entries.append({key: value for key, value in merged.items() if value is not None})
    return entries


def _edited_document(company: Company, document: Document, given: Values) -> Document:
    special = ("status", "product_list", "partner", "count_code", "mk_id", "doc_type", "payments")
    fields = {name: value for name, value in given.items() if name not in special}
    header = {name: value for name, value in {**document.header, **fields}.items() if value is not None}
    changed = replace(document, header=header, count_code=text_of(given.get("count_code")) or document.count_code)
    if "partner" in given:
        partner = given["partner"]
        changed = replace(changed, partner=Party(text_of(partner.get("mk_id")), text_of(partner.get("mk_address_id"))))
    if "product_list" in given:
        changed = replace(changed, lines=tuple(_line(company, one) for one in objects_in(given["product_list"])))
    return changed


def _line(company: Company, given: Values) -> Values:
    """A line as given, unchecked, with the taxes of 22 % unless it says others; its product by id or by code."""
    found = company.product_by("code", text_of(given.get("code"))) or company.products.get(given.get("mk_id", "")) or {}
    if not found:
        raise ControlError(400, "A line needs the code or mk_id of a product.")
    line = {name: text_of(value) for name, value in given.items() if name in LINE_NAMES}
    return {"amount": "1", "price": "0", "tax": "EX4", "tax_factor": "0.22", **line} | {
        "mk_row_id": text_of(given.get("mk_row_id")) or company.new_id("row"),
        "mk_id": found["mk_id"],
    }
