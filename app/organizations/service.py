"""Organizations, the people in them, and how everybody proves who they are."""

from uuid import UUID

import asyncpg

from app.actors import Actor, Permission, Scope, system_actor
from app.database import transaction
from app.errors import Refusal
from app.ids import new_id
from app.organizations import repository, rules
from app.organizations.api_tokens import ApiTokenService
from app.organizations.links import LinkService, OrganizationNotFound
from app.organizations.models import Organization, Person
from app.organizations.people import PeopleService


class SlugTaken(Refusal):
    """Another organization has this address already."""

    code = "slug_taken"


class OrganizationService(LinkService, ApiTokenService, PeopleService):
    """`LinkService` and its sessions, `ApiTokenService` and `PeopleService` hold the rest of its methods."""

    async def create(
        self,
        name: str,
        *,
        slug: str,
        owner_email: str,
        owner_name: str,
        time_zone: str = "UTC",
        accent_color: str = "#1f5f5b",
        terms: str = "",
    ) -> tuple[Organization, Person]:
        """A new organization and its first owner. Raises InvalidInput, SlugTaken."""
        rules.check_organization(slug, time_zone, accent_color)
        name, terms = rules.name(name), rules.terms(terms)
        email, owner = rules.email_address(owner_email), rules.name(owner_name, field="owner_name")
        actor = system_actor(new_id())
        try:
            async with transaction(actor.scope):
                await repository.add_organization(
                    actor.scope, slug=slug, name=name, time_zone=time_zone, accent_color=accent_color, terms=terms
                )
                await self.audit.add(actor, "organization.created", actor.organization_id, {"name": name, "slug": slug})
                person = await self.add_person(actor, email=email, name=owner, role="owner")
        except asyncpg.UniqueViolationError:
            raise SlugTaken from None
        return await self.get(actor), person

    async def get(self, actor: Actor) -> Organization:
        """The actor's own organization; everybody in it may read it. Raises OrganizationNotFound."""
        organization = await repository.organization(actor.scope)
        if organization is None:
            raise OrganizationNotFound
        return organization

    async def change(
        self,
        actor: Actor,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        accent_color: str | None = None,
        terms: str | None = None,
    ) -> Organization:
        """Change what is given; quotes decided earlier keep the terms of then. Raises InvalidInput."""
        actor.require(Permission.MANAGE_PEOPLE)
        before = await self.get(actor)
        wanted = {
            "name": before.name if name is None else rules.name(name),
            "time_zone": before.time_zone if time_zone is None else time_zone,
            "accent_color": before.accent_color if accent_color is None else accent_color,
            "terms": before.terms if terms is None else rules.terms(terms),
        }
        rules.check_organization(before.slug, wanted["time_zone"], wanted["accent_color"])
        async with transaction(actor.scope):
            await repository.change_organization(actor.scope, **wanted)
            changed = sorted(field for field, value in wanted.items() if value != getattr(before, field))
            await self.audit.add(actor, "organization.changed", before.id, {field: wanted[field] for field in changed})
        return await self.get(actor)

    async def find_person(self, organization_id: UUID, email: str) -> Person | None:
        """The person with this address, for the command line."""
        people = await repository.people(Scope(organization_id))
        return next((person for person in people if person.email == email.strip().lower()), None)
