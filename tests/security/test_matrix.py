"""Every field, called by every role on own and foreign things: nothing comes back or changes that should not."""

from collections.abc import Iterable

import pytest

from app.actors import PERMISSIONS, Permission, Role
from tests.security.callers import ROLES, Caller, Callers
from tests.security.documents import graphql_schema, id_arguments, root_fields
from tests.security.fields import EXTERNAL, MUTATIONS, NODES, QUERIES, SUBSCRIPTIONS
from tests.security.matrix import Answer, Matrix
from tests.security.rows import Group, differences

FIELDS = [*QUERIES, *MUTATIONS]
SHARES = 4
"""A role asks for every field with everybody's ids; each share of them is a test."""


def every(role: Role) -> set[Permission]:
    return set(PERMISSIONS[role])


def none_of(problems: Iterable[str]) -> None:
    found = list(problems)
    assert not found, "\n" + "\n".join(found)


# The table itself.


def test_every_field_of_the_schema_has_a_row():
    assert {each.name for each in [*FIELDS, *SUBSCRIPTIONS]} == set(root_fields())


def test_every_argument_that_takes_an_id_is_given_foreign_ones():
    rows = [*FIELDS, *SUBSCRIPTIONS]
    for name, definition in root_fields().items():
        given = {argument for each in rows if each.name == name for argument, kind in each.ids.items() if kind != EXTERNAL}
        assert given == id_arguments(definition), name


def test_every_type_that_has_a_global_id_is_asked_for_by_it():
    whole = graphql_schema()
    assert {kind.name for kind in whole.get_possible_types(whole.get_type("Node"))} == set(NODES)


def test_the_permissions_of_each_role_are_these():
    """Written a second time on purpose: whoever lets a role do more says so here too."""
    read = {"connections:read", "syncs:read", "records:read", "quotes:read", "clients:read"}
    operate = read | {"connections:manage", "syncs:run", "records:manage", "quotes:decide", "clients:manage", "audit:read"}

    assert every(Role.OWNER) == every(Role.SYSTEM) == set(Permission) == operate | {"people:manage"}
    assert every(Role.OPERATOR) == operate
    assert every(Role.VIEWER) == read
    assert every(Role.CLIENT_CONTACT) == {"quotes:read", "quotes:decide"}


# The matrix.


@pytest.mark.requirement("SM8-87", "SM8-88")
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("role", ["client_contact", "owner", "operator", "viewer"])
async def test_a_role_gets_its_own_and_nothing_else(matrix: Matrix, callers: Callers, role: str, share: int):
    world = matrix.world

    none_of(await matrix.examine(callers.roles[role], FIELDS[share::SHARES], world.own, world.other, world.abroad))


@pytest.mark.requirement("SM8-88")
@pytest.mark.parametrize("permission", list(Permission))
async def test_a_token_without_a_permission_is_refused_just_what_needs_it(matrix: Matrix, callers: Callers, permission: Permission):
    none_of(await matrix.examine(callers.lacking[permission], FIELDS, matrix.world.own))


@pytest.mark.requirement("SM8-88")
async def test_a_refused_change_changes_nothing(matrix: Matrix, callers: Callers):
    """Also where the permission that is missing is only needed to answer."""
    await matrix.world.put_back()
    before = await matrix.world.database.dump(matrix.world.owners)

    for permission, caller in callers.lacking.items():
        needing = [each for each in MUTATIONS if permission in each.needs]
        none_of(await matrix.examine(caller, needing, matrix.world.own))

    none_of(differences(before, await matrix.world.database.dump(matrix.world.owners), Group))


@pytest.mark.requirement("SM8-88")
async def test_whoever_is_nobody_gets_nothing(matrix: Matrix, callers: Callers):
    before = await matrix.world.database.dump(matrix.world.owners)
    answers = {name: await _turned_away(matrix, caller) for name, caller in callers.strangers.items()}

    assert {name: {answer.status for answer in found} for name, found in answers.items()} == {name: {401} for name in answers}
    none_of(leak for name, found in answers.items() for answer in found for leak in matrix.leaks(callers.strangers[name], answer))
    assert all(answer.body.keys() == {"errors"} for found in answers.values() for answer in found)
    assert await matrix.world.database.dump(matrix.world.owners) == before


async def _turned_away(matrix: Matrix, caller: Caller) -> list[Answer]:
    return [await matrix.ask(caller, each, dict.fromkeys(each.ids, matrix.world.own)) for each in FIELDS]


# What the matrix is worth: it must not stay green when something is taken away.


@pytest.mark.requirement("SM8-88")
@pytest.mark.parametrize("permission", sorted(ROLES[Role.OWNER] - ROLES[Role.VIEWER]))
async def test_a_role_that_was_given_too_much_is_found(
    matrix: Matrix, callers: Callers, monkeypatch: pytest.MonkeyPatch, permission: Permission
):
    # Who manages clients lets them decide, which only somebody who may decide can do.
    given = {permission, Permission.DECIDE_QUOTES} if permission is Permission.MANAGE_CLIENTS else {permission}
    monkeypatch.setitem(PERMISSIONS, Role.VIEWER, ROLES[Role.VIEWER] | given)

    concerned = [each for each in FIELDS if given & each.needs]
    problems = await matrix.examine(callers.roles["viewer"], concerned, matrix.world.own)

    needing = {str(each) for each in concerned if each.needs <= ROLES[Role.VIEWER] | given}
    assert needing
    assert needing == {problem.split(": ", 1)[1].split("(")[0] for problem in problems if "should have been refused" in problem}


@pytest.mark.parametrize("permission", sorted(ROLES[Role.VIEWER]))
async def test_a_role_that_was_given_too_little_is_found(
    matrix: Matrix, callers: Callers, monkeypatch: pytest.MonkeyPatch, permission: Permission
):
    monkeypatch.setitem(PERMISSIONS, Role.VIEWER, ROLES[Role.VIEWER] - {permission})

    merged = ("Query.mergePreview", "Query.duplicates")  # the two contacts may be one by now
    asked = [each for each in QUERIES if str(each) not in merged]
    problems = await matrix.examine(callers.roles["viewer"], asked, matrix.world.own)

    needing = {str(each) for each in asked if permission in each.needs}
    assert needing == {problem.split(": ", 1)[1].split("(")[0] for problem in problems}
