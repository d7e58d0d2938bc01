"""Calls fields as somebody, with ids of its own, of others and of nobody, and says in sentences what should not have come back."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from graphql import GraphQLList, GraphQLNonNull, is_required_argument
from strawberry.relay import GlobalID

from tests import factories
from tests.security.callers import Caller
from tests.security.documents import document, root_fields
from tests.security.fields import EXTERNAL, Field
from tests.security.rows import Dump, Group, differences, ids_in
from tests.security.world import Things, World

_TYPES = {
    "LeftOutLine": "QuoteLine",
    "OpenLine": "QuoteLine",
    "OpenQuote": "Quote",
    "SpareContact": "Contact",
    "WritableConnection": "Connection",
}
"""Kinds of things that have the type of another."""


@dataclass(frozen=True)
class Answer:
    """What came back, and the ids that were sent."""

    status: int
    text: str
    body: Any
    sent: tuple[str, ...]
    later: tuple[Any, ...] = ()
    """The bodies of the pages after the first."""

    @property
    def neutral(self) -> tuple[int, str]:
        """Without the ids that were sent: what was asked for may be told back."""
        text = self.text
        for number, sent in enumerate(self.sent):
            text = text.replace(sent, f"<{number}>").replace(_plain(sent), f"<{number}>")
        return self.status, text

    @property
    def ids(self) -> set[str]:
        """All ids in it that were not sent, also those inside global ids and cursors."""
        texts = [self.text, *map(_plain, {text for text in _texts([self.body, *self.later]) if " " not in text})]
        return set().union(*map(ids_in, texts)) - {id for sent in self.sent for id in ids_in(_plain(sent))}

    def of(self, field: Field) -> Any:
        return ((self.body or {}).get("data") or {}).get(field.name.partition(".")[2])

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in (self.body or {}).get("errors", ())]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _plain(text: str) -> str:
    """The inside of a global id or cursor; any other text as it is."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return text


@dataclass
class Matrix:
    """The API over the world."""

    world: World
    http: httpx.AsyncClient
    hidden: set[str] = field(default_factory=set)

    async def examine(self, caller: Caller, fields: Iterable[Field], *targets: Things) -> list[str]:
        """What this caller got or changed that it should not have, and what it should have got and did not."""
        await self.world.put_back()
        before = await self.world.database.dump(self.world.owners)
        self.hidden = hidden_from(caller, before)
        calls = [(each, chosen) for each in fields for chosen in self.choices(each, targets)]
        problems = [problem for each, chosen in calls for problem in await self._check(caller, each, chosen)]
        after = await self.world.database.dump(self.world.owners)
        return [f"{caller.name}: {problem}" for problem in [*problems, *differences(before, after, self._untouchable(caller))]]

    def _untouchable(self, caller: Caller) -> set[Group]:
        """Whoever may only read changes nothing anywhere."""
        writes = [permission for permission in caller.permissions if not permission.endswith(":read")]
        return set(Group) - caller.sees if writes else set(Group)

    def choices(self, each: Field, targets: Sequence[Things]) -> list[dict[str, Things]]:
        """Which of the field's ids is of whom: all from a target, with several targets each alone too, and none where none is needed."""
        if not each.ids:
            return [{}]
        base = dict.fromkeys([name for name in each.ids if name in each.always or _is_required(each, name)], self.world.own)
        alone = [(name,) for name in each.ids] if len(targets) > 1 else []
        groups = dict.fromkeys([*alone, tuple(each.ids)])
        found = [base | dict.fromkeys(names, target) for target in targets for names in groups]
        return found if base else [{}, *found]

    async def _check(self, caller: Caller, each: Field, chosen: dict[str, Things]) -> list[str]:
        foreign = {name for name, things in chosen.items() if not self.reaches(caller, each.ids[name], things)}
        answer = await self.ask(caller, each, chosen)
        problems = [*self.leaks(caller, answer)]
        if not each.needs <= caller.permissions:
            problems += refused(each, answer)
        elif not foreign and len({id(things) for things in chosen.values()}) < 2:
            problems += self._granted(caller, each, answer)
        elif each.is_mutation and foreign == set(chosen) and succeeded(each, answer):
            problems.append("it worked on what is not the caller's")
        if foreign:
            problems += await self._told_apart(caller, each, chosen, foreign, answer)
        named = ", ".join(f"{name} {self._whose(things)}" for name, things in chosen.items())
        return [f"{each}({named}): {problem[:600]}" for problem in problems]

    async def _told_apart(self, caller: Caller, each: Field, chosen: dict[str, Things], foreign: set[str], answer: Answer) -> list[str]:
        """Whether foreign ids are answered otherwise than ids of nothing at all."""
        nothing = await self.ask(caller, each, chosen | dict.fromkeys(foreign, self.world.unknown))
        if nothing.neutral == answer.neutral:
            return []
        return [f"it answers otherwise than for ids of nothing: {answer.text} / {nothing.text}"]

    def _whose(self, things: Things) -> str:
        return next(name for name in ("own", "other", "abroad", "unknown") if getattr(self.world, name) is things)

    def reaches(self, caller: Caller, kind: str, things: Things) -> bool:
        mine = [self.world.own] if caller.is_client else [self.world.own, self.world.other]
        return _id(kind, things) in [_id(kind, each) for each in mine]

    async def ask(self, caller: Caller, each: Field, chosen: Mapping[str, Things]) -> Answer:
        """One call, and where the answer is a page, all the pages after it."""
        variables, sent = await self._arguments(caller, each, chosen)
        answer = await self._send(caller, each, variables, sent)
        pages = [answer]
        while cursor := _next_page(pages[-1].of(each)):
            pages.append(await self._send(caller, each, {**variables, "after": cursor}, sent))
        text = "".join(page.text for page in pages)
        return Answer(answer.status, text, answer.body, sent, tuple(page.body for page in pages[1:]))

    async def _arguments(self, caller: Caller, each: Field, chosen: Mapping[str, Things]) -> tuple[dict[str, Any], tuple[str, ...]]:
        instead: Mapping[str, Any] = {}
        if each.ready and each.needs <= caller.permissions:
            subject = next(iter(chosen.values()), self.world.own)
            reachable = all(self.reaches(caller, kind, subject) for kind in each.ids.values())
            instead = await each.ready(self.world, subject if reachable else self.world.own) or {}
        variables, sent = dict(each.values(self.world)), []
        for name, things in chosen.items():
            kind = each.ids[name]
            usual = _id(kind, things)
            value = global_id(kind, instead[kind]) if kind in instead and self.reaches(caller, kind, things) else usual
            sent.append(value)
            variables |= _argument(each, name, value)
        return variables | ({"idempotencyKey": factories.key()} if each.is_mutation else {}), tuple(sent)

    async def _send(self, caller: Caller, each: Field, variables: Mapping[str, Any], sent: tuple[str, ...]) -> Answer:
        query = document(each.name, tuple(variables), each.looks_into)
        response = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=dict(caller.headers))
        return Answer(response.status_code, response.text, response.json(), sent)

    def leaks(self, caller: Caller, answer: Answer) -> Iterator[str]:
        """Marks and ids of rows that this caller must not see, and errors that nobody should."""
        for group, columns in self.world.database.marks_in(answer.text).items():
            if group not in caller.sees:
                yield f"it shows {', '.join(sorted(columns))} ({group})"
        if shown := answer.ids & self.hidden:
            yield f"it shows the ids {', '.join(sorted(shown))}"
        if "INTERNAL_SERVER_ERROR" in answer.codes or answer.status >= 500:
            yield f"it failed: {answer.text}"

    def _granted(self, caller: Caller, each: Field, answer: Answer) -> Iterator[str]:
        if not succeeded(each, answer):
            yield f"it should have worked: {answer.text}"
        elif each.shows and not each.is_mutation and not caller.sees & self.world.database.marks_in(answer.text).keys():
            yield f"it shows nothing: {answer.text}"


def hidden_from(caller: Caller, dump: Dump) -> set[str]:
    """The ids that only rows hold which this caller must not see."""
    hidden, seen = set[str](), set[str]()
    for (_, group), rows in dump.items():
        (seen if group in caller.sees else hidden).update(id for row in rows for id in ids_in(row))
    return hidden - seen


def refused(each: Field, answer: Answer) -> Iterator[str]:
    """Nothing, where the caller was told that it may not."""
    found = answer.of(each)
    if each.is_mutation:
        said_no = found is not None and found["__typename"] == "PermissionDenied"
    elif each.looks_into:
        said_no = not answer.codes and found in (None, [None])
    else:
        said_no = answer.codes == ["FORBIDDEN"] and found is None
    if not said_no:
        yield f"it should have been refused: {answer.text}"


def succeeded(each: Field, answer: Answer) -> bool:
    found = answer.of(each)
    if answer.status != 200 or "errors" in answer.body or found in (None, [None]):
        return False
    return not each.is_mutation or found["__typename"].endswith("Success")


def _next_page(found: Any) -> str | None:
    around = found.get("pageInfo") if isinstance(found, dict) else None
    return around["endCursor"] if around and around["hasNextPage"] else None


def _is_required(each: Field, name: str) -> bool:
    return is_required_argument(root_fields()[each.name].args[name.partition(".")[0]])


def _id(kind: str, things: Things) -> str:
    return things.contact_external_id if kind == EXTERNAL else global_id(kind, things.ids[kind])


def global_id(kind: str, value: object) -> str:
    return str(GlobalID(_TYPES.get(kind, kind), str(value)))


def _argument(each: Field, name: str, value: str) -> dict[str, Any]:
    argument, _, inside = name.partition(".")
    if inside:
        return {argument: [{inside: value, "reason": "Not now"}]}
    kind = root_fields()[each.name].args[argument].type
    is_list = isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
    return {argument: [value] if is_list else value}
