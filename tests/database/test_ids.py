"""Ids sort by the time they were made, also those of one millisecond."""

import os

from app.ids import new_id


def test_ids_sort_in_the_order_in_which_they_were_made():
    ids = [new_id() for _ in range(10_000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}


def test_a_process_that_was_forked_gives_other_ids_than_its_parent():
    new_id()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, b"".join(new_id().bytes[8:] for _ in range(100)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    given = os.read(read, 10_000)

    theirs = {given[place : place + 8] for place in range(0, len(given), 8)}
    assert len(theirs) == 100
    assert theirs.isdisjoint(new_id().bytes[8:] for _ in range(1000))
