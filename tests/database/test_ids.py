"""Ids sort by the time they were made, also those of one millisecond."""

from app.ids import new_id


def test_ids_sort_in_the_order_in_which_they_were_made():
    ids = [new_id() for _ in range(10_000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
