"""`add_attachment`: a file more on a document, known by its name alone here.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/add_attachment.md
"""

from dataclasses import replace

from .answers import RULE, Failed, must_be_set
from .company import Company
from .documents import found_by, keep, logged, type_in
from .wire import Values, objects_in, text_of


def add_attachment(company: Company, given: Values) -> Values:
    """Add files to a document, each time again."""
    type = type_in(given)
    if not (mk_id := text_of(given.get("mk_id"))):
        raise must_be_set("mk_id")
    document = found_by(company, type, mk_id)
    files = objects_in(given.get("attachment_list"))
    if not files or not all(one.get("file_name") for one in files):
        raise Failed(RULE, "file_name is required")
    extra = document.extra or {}
    kept = [*extra.get("attachment_list", []), *({"file_name": text_of(one["file_name"])} for one in files)]
    keep(company, logged(company, replace(document, extra={**extra, "attachment_list": kept}), "CHANGE"))
    return {"mk_id": mk_id}
