"""A connection's own field mapping counts for its syncs in both directions."""

import pytest

from tests.two_way.office import Office


@pytest.mark.requirement("MKC-04")
async def test_a_published_field_mapping_counts_from_the_next_run_on(office: Office):
    mk_id = await office.add("Acme", tax_id_number="SI11223344")
    await office.run()
    fields = office.hub.field_mappings
    effective = await fields.effective(office.operator, office.connection.id, "partners")
    rows = [row for row in effective.rows if row.target != "tax_number"]

    draft = await fields.save(office.operator, office.connection.id, "partners", rows)
    await fields.publish(office.operator, office.connection.id, "partners", draft.version)
    await office.sandbox.edit_partner(mk_id, customer="Acme 2", tax_id_number="SI99887766")
    await office.run()

    data = (await office.record(mk_id)).data
    assert (data["name"], data["tax_number"]) == ("Acme 2", "SI11223344")
