"""The three-way merge, field by field."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conflicts.rules import Differences, Merge, Rule, Times, merge

NOW = datetime(2026, 11, 21, tzinfo=UTC)
VALUES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))


def _changed(before, after):
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _merge(base, ours, theirs, rule=Rule.ASK, **options) -> Merge:
    return merge(Differences(_changed(ours, theirs), _changed(base, ours), _changed(base, theirs)), lambda name: rule, **options)


def test_each_side_keeps_what_it_alone_changed():
    merged = _merge({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2})

    assert (merged.ours, merged.theirs, merged.conflicts) == ({"a"}, {"b"}, set())


def test_the_same_change_on_both_sides_is_agreed():
    merged = _merge({"a": 1}, {"a": 2}, {"a": 2})

    assert not merged.ours | merged.theirs | merged.conflicts


@pytest.mark.parametrize(
    ("rule", "side"), [(Rule.ASK, "conflicts"), (Rule.PROVIDER_WINS, "theirs"), (Rule.HUB_WINS, "ours"), (Rule.NEWEST, "conflicts")]
)
def test_different_changes_are_decided_by_the_rule(rule, side):
    assert getattr(_merge({"a": 1}, {"a": 2}, {"a": 3}, rule), side) == {"a"}


@pytest.mark.parametrize(("later", "side"), [(timedelta(1), "theirs"), (timedelta(-1), "ours"), (timedelta(0), "conflicts")])
def test_the_newest_change_wins_where_both_times_are_known(later, side):
    merged = _merge({"a": 1}, {"a": 2}, {"a": 3}, Rule.NEWEST, times=Times(NOW, NOW + later))

    assert getattr(merged, side) == {"a"}


def test_a_field_in_conflict_stays_in_it_until_both_sides_agree():
    assert _merge({"a": 3}, {"a": 2}, {"a": 3}, open_conflicts={"a"}).conflicts == {"a"}
    assert _merge({"a": 3}, {"a": 3}, {"a": 3}, open_conflicts={"a"}).conflicts == set()


def test_without_a_base_what_one_side_leaves_empty_comes_from_the_other():
    merged = _merge({}, {"a": 1, "b": 1}, {"b": 2, "c": 3})

    assert (merged.ours, merged.theirs, merged.conflicts) == ({"a"}, {"c"}, {"b"})


@given(VALUES, VALUES, VALUES, st.sampled_from(Rule))
def test_no_change_of_either_side_is_lost_unseen(base, ours, theirs, rule):
    """A side's change survives, or the other side made the same, or the rule gave it up, or somebody is asked."""
    merged = _merge(base, ours, theirs, rule)
    for name in _changed(base, ours) - _changed(theirs, ours) - merged.ours - merged.conflicts:
        assert ours.get(name) == theirs.get(name)
    for name in _changed(ours, theirs):
        assert [name in side for side in (merged.ours, merged.theirs, merged.conflicts)].count(True) == 1
        if name in _changed(base, ours) and name not in _changed(base, theirs):
            assert name in merged.ours
        if name in _changed(base, theirs) and name not in _changed(base, ours):
            assert name in merged.theirs
        if name in _changed(base, ours) & _changed(base, theirs) and rule is Rule.ASK:
            assert name in merged.conflicts
