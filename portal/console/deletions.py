"""What deleting a record here means at each of its counterparts."""

from dataclasses import dataclass

from starlette.requests import Request

from app.conflicts.models import StreamPolicy
from app.connectors.base import Writer
from portal.console.counterparts import Counterpart
from portal.session import actor, hub


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a counterpart, in a sentence."""

    counterpart: Counterpart
    sentence: str
    is_removed: bool


async def fate_of(request: Request, one: Counterpart) -> Fate:
    """By the rules of its stream, as they are now."""
    if not one.provider:
        return Fate(one, "The connection was removed; nothing is sent there.", False)
    connection = await hub(request).connections.get(actor(request), one.connection_id)
    stream = hub(request).connectors[connection.provider].streams[one.stream]
    policy = await hub(request).conflicts.policy(actor(request), one.connection_id, one.stream)
    is_removed, sentence = sentence_of(stream.writer, policy, one.provider, one.link is not None and one.link.status == "deleted")
    return Fate(one, sentence, is_removed)


def sentence_of(writer: Writer | None, policy: StreamPolicy, provider: str, is_gone: bool) -> tuple[bool, str]:
    """(whether it is removed there, the sentence)."""
    if is_gone:
        return False, f"It is deleted at {provider} already."
    if writer is None:
        return False, f"It stays at {provider}, which this connection only reads. If it changes there later, you are asked."
    if writer.deletes is None:
        return False, f"It stays at {provider}, which lets nobody delete it from outside. If it changes there later, you are asked."
    if policy.hub_deletions == "propagate":
        return True, f"It is {'deleted' if writer.deletes == 'delete' else 'deactivated'} at {provider} with the next sync that writes."
    if policy.hub_deletions == "deactivate" and writer.deletes == "deactivate":
        return True, f"It is deactivated at {provider} with the next sync that writes."
    return False, f"It stays at {provider}: the rules of this stream keep deletions in the hub."
