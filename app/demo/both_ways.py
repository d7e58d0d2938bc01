"""Two-way sync from end to end: one contact is renamed in the hub and at Metakocka, the conflict is decided, and both sides show it."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from app.demo.addresses import Addresses
from app.demo.content import COMPANY, METAKOCKA
from app.demo.graphql import CONNECTIONS, CONTACT, CONTACTS, OPEN_CONFLICTS, RESOLVE_CONFLICT, UPDATE_CONTACT, GraphQL
from app.demo.http import post_json
from app.demo.settings import DemoRefused
from app.demo.steps import Steps
from app.demo.syncing import sync
from app.demo.waiting import wait_for

STREAM, FIELD = "partners", "name"
BETWEEN = " · "
"""Between a contact's name and what a pass makes of it, so that names do not grow from pass to pass."""

Json = Mapping[str, Any]


class BothWays:
    """One pass; `seen["conflict"]` says what came of it."""

    def __init__(self, addresses: Addresses, api: GraphQL, steps: Steps, seen: dict[str, Any]) -> None:
        self.sandbox_url, self.api, self.steps, self.seen = addresses.metakocka_sandbox_url, api, steps, seen
        self.mark = uuid4().hex[:6]

    def run(self) -> None:
        connection = next(one for one in self.api.ask(CONNECTIONS)["connections"]["nodes"] if one["provider"] == METAKOCKA)
        with self.steps.step("Edit on both sides") as step:
            contact = self._contact(connection)
            stem = contact["name"].split(BETWEEN)[0]
            ours, theirs = self._name(stem, "hub"), self._name(stem, "Metakocka")
            self._rename_in_hub(contact, ours)
            self._rename_at_metakocka(contact, theirs)
            step.said = f"{ours} | {theirs}"
        with self.steps.step("Find the conflict") as step:
            sync(self.api, connection, [STREAM])
            conflict = self._conflict(connection, contact, base=contact["name"], ours=ours, theirs=theirs)
            step.said = f"{conflict['field']} of a contact"
        with self.steps.step("Resolve it") as step:
            agreed = self._name(stem, "agreed")
            self._resolve(conflict, agreed)
            step.said = agreed
        with self.steps.step("Look at both sides") as step:
            sync(self.api, connection, [STREAM])
            shown = self._look_until_both_show(contact, agreed)
            step.said = "the same name in the hub and at Metakocka"
        told = {name: conflict[name] for name in ("field", "base", "ours", "theirs")}
        self.seen["conflict"] = {**told, "resolved": agreed, **shown}

    def _contact(self, connection: Json) -> Json:
        contacts = self.api.ask(CONTACTS, connection=connection["id"])["contacts"]["nodes"]
        if not contacts:
            raise DemoRefused("The hub has no contact of Metakocka.")
        return dict(contacts[0])

    def _name(self, stem: str, side: str) -> str:
        return f"{stem}{BETWEEN}{side} {self.mark}"

    def _rename_in_hub(self, contact: Json, name: str) -> None:
        answer = self.api.ask(UPDATE_CONTACT, id=contact["id"], version=contact["version"], name=name, key=uuid4().hex)["updateContact"]
        if answer["__typename"] != "UpdateContactSuccess":
            raise DemoRefused(f"The contact was not changed: {answer['message']}")

    def _rename_at_metakocka(self, contact: Json, name: str) -> None:
        """As somebody does in Metakocka's own screens."""
        post_json(f"{self.sandbox_url}/sandbox/partners/{contact['externalId']}", {"customer": name})

    def _conflict(self, connection: Json, contact: Json, **sides: str) -> Json:
        """The conflict with just these values. Raises DemoRefused when there is none."""
        found = self.api.ask(OPEN_CONFLICTS, connection=connection["id"], record=contact["id"], field=FIELD)["conflicts"]["nodes"]
        for conflict in found:
            if all(conflict[side] == value for side, value in sides.items()):
                return dict(conflict)
        raise DemoRefused(f"Both sides changed a contact's name, and the conflicts of it are {found}.")

    def _resolve(self, conflict: Json, name: str) -> None:
        answer = self.api.ask(RESOLVE_CONFLICT, id=conflict["id"], value=name, key=uuid4().hex)["resolveConflict"]
        if answer["__typename"] != "ResolveConflictSuccess":
            raise DemoRefused(f"The conflict was not resolved: {answer['message']}")

    def _look_until_both_show(self, contact: Json, name: str) -> dict[str, str]:
        def both() -> dict[str, str] | None:
            shown = {"hub": self._in_hub(contact), "metakocka": self._at_metakocka(contact)}
            return shown if set(shown.values()) == {name} else None

        return wait_for(both, f"Hub and Metakocka do not both show {name}")

    def _in_hub(self, contact: Json) -> str:
        return str(self.api.ask(CONTACT, id=contact["id"])["contact"]["name"])

    def _at_metakocka(self, contact: Json) -> str:
        """As the provider's own API tells it to anybody with a key."""
        keys = {"company_id": COMPANY.company_id, "secret_key": COMPANY.secret_key}
        url = f"{self.sandbox_url}/rest/eshop/v1/get_partner"
        [partner] = post_json(url, {**keys, "partner_id": contact["externalId"]})["partner_list"]
        return str(partner["customer"])
