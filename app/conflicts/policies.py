"""What may be set as the policy of a stream. Pure."""

from app.conflicts.models import DELETED, StreamPolicy
from app.conflicts.rules import Rule
from app.connectors.base import Stream
from app.errors import InvalidInput
from app.records.entities import ENTITIES

PROVIDER_DELETIONS = ("tombstone", "propagate", "ignore")
HUB_DELETIONS = ("tombstone", "propagate", "deactivate", "ignore")


def has_times(stream: Stream) -> bool:
    """Whether its records carry the time of their last change at the provider."""
    return any(row.target == "edited_at" for row in stream.fields.rows)


def check(policy: StreamPolicy, stream: Stream) -> None:
    """Raises InvalidInput, with every field that is wrong."""
    wrong: dict[str, str] = {}
    if Rule.NEWEST in (policy.conflicts, *policy.field_conflicts.values()) and not has_times(stream):
        wrong["conflicts"] = "The newest cannot win here: this provider does not say when a record was changed. Choose another rule."
    if DELETED in policy.field_conflicts:
        wrong["fieldConflicts"] = "Deletions have rules of their own: say what is done about those of each side."
    elif unknown := sorted(set(policy.field_conflicts) - set(ENTITIES[stream.entity].__struct_fields__)):
        wrong["fieldConflicts"] = f"A {stream.entity.replace('_', ' ')} has no field {unknown[0]!r}."
    if policy.provider_deletions not in PROVIDER_DELETIONS:
        wrong["providerDeletions"] = f"Choose from {', '.join(PROVIDER_DELETIONS)}."
    if policy.hub_deletions not in HUB_DELETIONS:
        wrong["hubDeletions"] = f"Choose from {', '.join(HUB_DELETIONS)}."
    if not 0 <= policy.brake_share <= 1:
        wrong["brakeShare"] = "Give a share from 0 to 1."
    if policy.brake_minimum < 0:
        wrong["brakeMinimum"] = "Give a number from 0 on."
    if wrong:
        raise InvalidInput(fields=wrong)
