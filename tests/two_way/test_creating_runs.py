"""A run that was asked to make what the provider does not have, whatever the policy says."""

import pytest

from app.errors import InvalidInput
from tests import factories
from tests.two_way.office import Office

KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}


async def test_a_run_makes_what_is_missing_when_it_is_asked_to_and_the_next_one_does_not(office: Office):
    hub, operator, partners = office.hub, office.operator, ["partners"]
    for name in ("Anton", "Berta"):
        await office.create(name, address=KRANJ)

    run = await hub.syncs.start(operator, office.connection.id, streams=partners, direction="push", creates_missing=True)
    ended = await factories.ended(hub, operator, run)
    await office.create("Cene", address=KRANJ)
    later = await office.run("push")

    assert (ended.creates_missing, ended.counts.created, later.counts.created) == (True, 2, 0)
    assert not (await hub.conflicts.policy(operator, office.connection.id, "partners")).creates_missing
    with pytest.raises(InvalidInput, match="Only a sync that writes"):
        await hub.syncs.start(operator, office.connection.id, streams=partners, creates_missing=True)


async def test_what_one_side_lacks_is_counted_up_to_a_limit(office: Office):
    await office.add("There")
    await office.run()
    for name in ("Anton", "Berta", "Cene"):
        await office.create(name, address=KRANJ)
    counts = office.hub.unsynced.counts

    whole = await counts(office.operator, office.connection.id, "partners", 10)
    cut = await counts(office.operator, office.connection.id, "partners", 1)

    assert (whole.records, whole.objects) == (3, 0)
    assert cut.records == 2
    assert (await counts(office.operator, office.connection.id, "orders", 10)).objects is None
