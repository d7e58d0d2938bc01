"""The people of an organization and what they may do."""

from uuid import UUID

from app.actors import Actor, Permission
from app.database import transaction
from app.errors import InvalidInput, NotFound, Refusal
from app.ids import new_id
from app.mail import texts
from app.organizations import repository, rules
from app.organizations.models import Person
from app.organizations.part import Part


class PersonNotFound(NotFound):
    """This person does not belong to the organization."""

    code = "person_not_found"


class LastOwner(Refusal):
    """An organization needs an owner; make somebody else an owner first."""

    code = "last_owner"


class PeopleService(Part):
    """Who works for the organization."""

    async def people(self, actor: Actor) -> list[Person]:
        """Everybody, by name; those who were shut out too."""
        actor.require(Permission.MANAGE_PEOPLE)
        return await repository.people(actor.scope)

    async def add_person(self, actor: Actor, *, email: str, name: str, role: str) -> Person:
        """Let somebody in, or in again. They are told by mail where to sign in. Raises InvalidInput."""
        actor.require(Permission.MANAGE_PEOPLE)
        email, name, person_role = rules.email_address(email), rules.name(name), rules.person_role(role)
        rules.check_grant(actor, person_role)
        async with transaction(actor.scope):
            person = await repository.add_person(actor.scope, new_id(), email=email, name=name, role=person_role)
            if person is None:
                raise InvalidInput(fields={"email": "Somebody with this address is already here."})
            await self._welcome(actor, person)
            await self.audit.add(actor, "person.added", person.id, {"email": email, "role": person_role})
        return person

    async def _welcome(self, actor: Actor, person: Person) -> None:
        organization = await repository.organization(actor.scope)
        if organization is None:
            raise NotFound
        subject, body = texts.welcome(person.name, organization.name, f"{self.settings.public_url}/console/{organization.slug}/sign-in")
        await self.mail.add(actor.scope, recipient=person.email, subject=subject, body=body, purpose=f"welcome:{person.id}")

    async def change_role(self, actor: Actor, person_id: UUID, role: str) -> Person:
        """Raises PersonNotFound, LastOwner."""
        actor.require(Permission.MANAGE_PEOPLE)
        person_role = rules.person_role(role)
        rules.check_grant(actor, person_role)
        async with transaction(actor.scope):
            before = await self._person_who_may_go(actor, person_id, stays_owner=person_role == "owner")
            await repository.set_role(actor.scope, person_id, person_role)
            await self.audit.add(actor, "person.role_changed", person_id, {"before": before.role, "after": person_role})
            return await self._person(actor, person_id)

    async def disable_person(self, actor: Actor, person_id: UUID) -> Person:
        """Shut somebody out at once; what they did stays. Raises PersonNotFound, LastOwner."""
        actor.require(Permission.MANAGE_PEOPLE)
        async with transaction(actor.scope):
            before = await self._person_who_may_go(actor, person_id, stays_owner=False)
            if before.disabled_at is None:
                await repository.disable_person(actor.scope, person_id)
                await self.audit.add(actor, "person.disabled", person_id, {"email": before.email})
            return await self._person(actor, person_id)

    async def _person_who_may_go(self, actor: Actor, person_id: UUID, *, stays_owner: bool) -> Person:
        owners = await repository.lock_owners(actor.scope)
        person = await self._person(actor, person_id)
        if owners == {person_id} and not stays_owner:
            raise LastOwner
        return person

    async def _person(self, actor: Actor, person_id: UUID) -> Person:
        person = await repository.person(actor.scope, person_id)
        if person is None:
            raise PersonNotFound
        return person
