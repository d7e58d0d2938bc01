"""docs/api-errors.md: every refusal and every error code with who can fix it, read from the classes that raise them."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

import app
from app.api.masking import extensions_of
from app.api.refusals import Refusal as RefusalType
from app.api.refusals import RequestRefused
from app.connectors.errors import ConnectorError
from app.errors import HubError, Refusal

_HEAD = """# What can go wrong

Written by `crosswalk schema docs` from the errors in the code; how they arrive is in [the guide](api.md#errors).

`fixBy` says who can mend it: **CUSTOMER** is whoever asked, by doing something differently; **TIME** heals it, so ask again
later; **US** is whoever runs the hub. Show the `message` to people; programs decide by the type, the `code` and `fixBy`. New codes may
come, none changes its meaning.
"""
_REFUSALS = """## Refusals of mutations

Members of a mutation's union. An error with a type of its own arrives as that type in the mutations that name it, and as
[RequestRefused](api-reference.md#requestrefused) with the same `code` in the others. Those about sign-in links and people are said on
the hub's pages only.
"""
_IN_ERRORS = """## Codes in `errors`

`extensions.code` of an answer without the data that was asked for: a query that cannot be answered, and a request that never became an
operation.
"""
_OF_PROVIDERS = """## Codes of providers

What a provider did. They arrive as `errorCode` of a sync run, a delivery or a failed record, and as `code` of a connection's test.
"""
_OF_DEPLOYMENT = """## Codes of the deployment

What whoever runs the hub meets at the command line, in the log and in `crosswalk doctor`; never in an answer of the API.
"""

# Not an error class of the hub: a surprise is masked, and GraphQL's own rules refuse a document without a code.
_OTHERS = (
    ("`NOT_SIGNED_IN`", "CUSTOMER", "The request carried no valid token or session (401)."),
    ("`INTERNAL_SERVER_ERROR`", "US", "Something went wrong on our side. `extensions.reference` finds it in the log."),
    ("`NOT_FOUND`", "CUSTOMER", "There is nothing at this address (404)."),
    ("`METHOD_NOT_ALLOWED`", "CUSTOMER", "This address cannot be used in this way (405)."),
    ("*(no code)*", "CUSTOMER", "The document does not fit the schema; the message says where, with `locations`."),
)

# Where the message is a word that clients look for.
_EXPLAINED = {
    "persisted_query_not_found": "No document is kept under this hash: send it again with its text, as Apollo Client does.",
    "persisted_query_not_supported": "Only hashes of trusted documents are taken here, and only version 1 of the protocol.",
}

# Of runs and failed records, where no error class of the hub is the cause.
_OF_RUNS = (
    ("record_invalid", "CUSTOMER", "The object cannot be read or lacks what a record needs; the message names the field."),
    ("unexpected", "US", "Something went wrong on our side; it was logged."),
    ("value_refused", "US", "A value of the object cannot be stored; the message says why."),
)

CLOSE_CODES = (
    (1009, "CUSTOMER", "A message was longer than a request may be."),
    (4400, "CUSTOMER", "A message that is none of the protocol."),
    (4401, "CUSTOMER", "An operation before the connection was acknowledged, or the token was revoked or the session ended meanwhile."),
    (4403, "CUSTOMER", "The first message did not say who asks, or what it said is not valid."),
    (4406, "CUSTOMER", "The client does not speak `graphql-transport-ws`."),
    (4408, "TIME", "No first message came within ten seconds."),
    (4409, "CUSTOMER", "Two operations with the same id."),
    (4429, "CUSTOMER", "More than one first message."),
    (4500, "US", "Something went wrong on our side."),
)


def errors_page() -> str:
    """The page. Every error class below HubError is on it."""
    groups = _grouped(_errors())
    return "\n".join(
        [
            _HEAD,
            _IN_ERRORS,
            _table(("code", "fix by", "what it says"), _asking(groups["asking"])),
            _REFUSALS,
            _table(("code", "fix by", "arrives as", "what it says"), map(_refusal, groups["refusals"])),
            _OF_PROVIDERS,
            _table(("code", "fix by", "what it says"), _providers(groups["providers"])),
            "## Close codes of a WebSocket\n",
            _table(("code", "fix by", "why"), [_row(f"`{code}`", fix_by, why) for code, fix_by, why in CLOSE_CODES]),
            _OF_DEPLOYMENT,
            _table(("code", "fix by", "what it says"), map(_plain, groups["deployment"])),
        ]
    )


def _errors() -> list[type[HubError]]:
    """Every error class of the package, by code."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        importlib.import_module(module.name)
    return sorted(_below(HubError), key=lambda error: (error.code, error.__name__))


def _below(error: type[HubError]) -> Iterator[type[HubError]]:
    for each in error.__subclasses__():
        if each.__module__.startswith("app."):
            yield each
            yield from _below(each)


def _grouped(errors: Iterable[type[HubError]]) -> dict[str, list[type[HubError]]]:
    """By how they reach a program. What any mutation may answer is among the errors of a query too."""
    groups: dict[str, list[type[HubError]]] = {"asking": [], "refusals": [], "providers": [], "deployment": []}
    for error in errors:
        for group in _groups_of(error):
            groups[group].append(error)
    return groups


def _groups_of(error: type[HubError]) -> Iterator[str]:
    package = error.__module__.split(".")[1]
    if package == "errors" and error is not Refusal and issubclass(error, Refusal):
        yield "asking"
    if package in ("api", "database"):
        yield "asking"
    elif issubclass(error, Refusal):
        yield from () if error is Refusal else ("refusals",)
    elif issubclass(error, ConnectorError) or package in ("syncs", "deliveries"):
        yield "providers"
    else:
        yield "deployment"


def _asking(errors: Iterable[type[HubError]]) -> list[str]:
    return sorted([*map(_in_errors, errors), *(_row(*other) for other in _OTHERS)])


def _providers(errors: Iterable[type[HubError]]) -> list[str]:
    return sorted([*map(_plain, errors), *(_row(f"`{code}`", fix_by, sentence) for code, fix_by, sentence in _OF_RUNS)])


def _in_errors(error: type[HubError]) -> str:
    # Without its arguments: only what the class says is asked for.
    extensions = extensions_of(error.__new__(error))
    return _row(f"`{extensions['code']}`", extensions["fixBy"], _sentence(error))


def _refusal(error: type[HubError]) -> str:
    name = _type_of(error)
    return _row(f"`{error.code}`", error.fix_by.upper(), f"[{name}](api-reference.md#{name.lower()})", _sentence(error))


def _plain(error: type[HubError]) -> str:
    return _row(f"`{error.code}`", error.fix_by.upper(), _sentence(error))


def _type_of(error: type[HubError]) -> str:
    """The name of the most particular type that tells of it."""
    told = {each: kind for kind in RefusalType.__subclasses__() for each in kind.refuses}
    kind = next((told[ancestor] for ancestor in error.__mro__ if ancestor in told), RequestRefused)
    return str(kind.__strawberry_definition__.name)  # type: ignore[attr-defined]  # put there by the decorator


def _sentence(error: type[HubError]) -> str:
    """The first paragraph of its docstring, which is also its message where nothing more particular is known."""
    return _EXPLAINED.get(error.code) or " ".join((error.__doc__ or "").strip().partition("\n\n")[0].split())


def _table(heads: tuple[str, ...], rows: Iterable[str]) -> str:
    return "\n".join([_row(*heads), "|---" * len(heads) + "|", *rows, ""])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
