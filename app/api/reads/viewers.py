"""What a plan and a statement need to know of who asks and of the hub."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from app.actors import PERMISSIONS, Actor, Permission
from app.api.reads.statement import Viewer
from app.bootstrap import Hub


def viewer_of(actor: Actor) -> Viewer:
    return _viewer(PERMISSIONS[actor.role], actor.scopes, actor.scope.client_id is not None)


@cache
def _viewer(permissions: frozenset[Permission], scopes: frozenset[Permission] | None, is_client: bool) -> Viewer:
    return Viewer(permissions if scopes is None else permissions & scopes, is_client)


def environment_of(hub: Hub) -> Mapping[str, Callable[[], Any]]:
    """What a statement may need to know of the hub, each worked out when it does."""
    return {"now": hub.now, "titles": lambda: {name: connector.title for name, connector in hub.connectors.items()}}
