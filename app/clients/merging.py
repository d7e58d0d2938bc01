"""What becomes of clients when their contacts are merged into one, and when that is taken back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.clients import repository
from app.records.merge_models import Followed

FollowContacts = Callable[[Scope, Sequence[UUID]], Awaitable[object]]
"""Gives quotes the name and client of the contacts that they are for now."""
CountQuotes = Callable[[Scope, UUID], Awaitable[int]]
"""How many quotes are for a contact."""


@dataclass(frozen=True, slots=True)
class ClientMerges:
    """One contact record is one client: of two clients, the people, sites and quotes go to the survivor's."""

    follow_contacts: FollowContacts
    count_quotes: CountQuotes

    async def of(self, scope: Scope, record_id: UUID) -> Followed:
        """What would come along."""
        client_id = await repository.client_of(scope, record_id)
        people, sites = await repository.children_of(scope, client_id) if client_id else ([], [])
        return Followed(await self.count_quotes(scope, record_id), len(people), len(sites))

    async def follow(self, scope: Scope, survivor_id: UUID, loser_id: UUID) -> Mapping[str, Any]:
        """Returns what it takes to part them again."""
        await repository.lock_clients(scope)
        survivor, loser = await repository.client_of(scope, survivor_id), await repository.client_of(scope, loser_id)
        moved: dict[str, Any] = {}
        if loser is not None and survivor is None:
            await repository.set_contact_record(scope, loser, survivor_id)
            moved = {"client_id": loser}
        elif loser is not None and survivor is not None:
            people, sites = await repository.children_of(scope, loser)
            await repository.move_children(scope, survivor, people, sites)
            moved = {"client_id": loser, "people": people, "sites": sites}
        await self.follow_contacts(scope, [survivor_id, loser_id])
        return moved

    async def part(self, scope: Scope, survivor_id: UUID, loser_id: UUID, moved: Mapping[str, Any]) -> None:
        """Those who came along go back; who was invited since stays with the survivor."""
        await repository.lock_clients(scope)
        if moved:
            client_id = UUID(moved["client_id"])
            if "people" in moved:
                people, sites = ([UUID(id) for id in moved[name]] for name in ("people", "sites"))
                await repository.move_children(scope, client_id, people, sites)
            elif await repository.client_of(scope, survivor_id) == client_id:
                await repository.set_contact_record(scope, client_id, loser_id)
        await self.follow_contacts(scope, [survivor_id, loser_id])
