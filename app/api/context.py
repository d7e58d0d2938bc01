"""What every resolver may use: the hub, who asks, and loaders that gather look-ups."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import strawberry

from app.actors import Actor, Role
from app.api.identity import Caller, Credential
from app.bootstrap import Hub
from app.errors import NotSignedIn

if TYPE_CHECKING:
    from app.api.live.followed import Following
    from app.api.live.presses import Press
    from app.api.loaders import Loaders


@dataclass(slots=True)
class Context:
    """Of one HTTP request, of one WebSocket for as long as it is open, of one operation on it, or of one press."""

    hub: Hub
    caller: Caller
    credential: Credential | None = None
    known_actor: Actor | None = None
    connection_params: dict[str, object] = field(default_factory=dict)
    """What a WebSocket's first message carried."""
    variables: dict[str, Any] | None = None
    """What was given to the operation of a stream, as it came."""
    press: "Press | None" = None
    """Set where a subscription's events are rendered, for all who follow the same."""
    following: "Following[Any] | None" = None
    """What the subscription of this operation follows, once its document and arguments were found good."""
    loaders: "Loaders" = field(init=False)
    compiles_reads: bool = True
    """Whether reads are compiled to SQL; without it every field is resolved, which gives the same JSON, only later."""

    @property
    def actor(self) -> Actor:
        """Raises NotSignedIn while a WebSocket has not said who it is."""
        if self.known_actor is None:
            raise NotSignedIn
        return self.known_actor

    async def sign_in(self, credential: Credential) -> None:
        """Raises NotSignedIn."""
        self.known_actor = await credential.actor(self.hub)
        self.credential = credential

    async def check_again(self) -> None:
        """Who asks may have been disabled, or given another role, since. Raises NotSignedIn."""
        if self.credential is None:
            raise NotSignedIn
        await self.sign_in(self.credential)

    def copy(self) -> "Context":
        """For another operation of the same caller."""
        copied = Context(self.hub, self.caller, self.credential, self.known_actor, self.connection_params)
        copied.loaders = type(self.loaders)(copied)
        return copied

    @property
    def may_look_inside(self) -> bool:
        """Introspection and suggestions: for the organization's own people, where the setting allows it."""
        return self.hub.settings.introspection and self.known_actor is not None and self.known_actor.role is not Role.CLIENT_CONTACT


Info = strawberry.Info[Context, Any]
