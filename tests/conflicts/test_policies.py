"""What may be set as a stream's policy: what could not be followed is refused with the field."""

from typing import Any
from uuid import UUID

import pytest

from app.conflicts import policies
from app.conflicts.models import StreamPolicy
from app.conflicts.rules import Rule
from app.connectors.metakocka.connector import connector
from app.errors import InvalidInput

STREAM = connector.streams["partners"]


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"conflicts": Rule.NEWEST}, "conflicts", "newest cannot win"),
        ({"field_conflicts": {"name": Rule.NEWEST}}, "conflicts", "newest cannot win"),
        ({"field_conflicts": {"nmae": Rule.ASK}}, "fieldConflicts", "no field 'nmae'"),
        ({"field_conflicts": {"deleted": Rule.PROVIDER_WINS}}, "fieldConflicts", "Deletions have rules of their own"),
        ({"provider_deletions": "deactivate"}, "providerDeletions", "tombstone"),
        ({"hub_deletions": "forget"}, "hubDeletions", "deactivate"),
        ({"brake_share": 1.1}, "brakeShare", "from 0 to 1"),
        ({"brake_minimum": -1}, "brakeMinimum", "from 0 on"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_its_field(values: dict[str, Any], field: str, says: str):
    with pytest.raises(InvalidInput) as refused:
        policies.check(StreamPolicy(UUID(int=1), "partners", **values), STREAM)

    assert list(refused.value.fields) == [field]
    assert says in refused.value.fields[field]


def test_a_policy_that_can_be_followed_is_taken():
    policies.check(StreamPolicy(UUID(int=1), "partners", Rule.HUB_WINS, {"name": Rule.PROVIDER_WINS}, "propagate", "deactivate"), STREAM)
