"""Whose request it is, when proxies stand in front of the hub."""

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import Network


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address that asked: the last one in the chain that no trusted proxy stands behind.

    `forwarded_for` is the list in X-Forwarded-For, nearest to the client first. Whoever is not trusted may have
    written anything in front of itself, so reading goes from the near end and stops there.
    """
    address = peer
    for hop in reversed(forwarded_for):
        if not is_trusted(address, trusted):
            break
        try:
            ip_address(hop)
        except ValueError:
            break
        address = hop
    return address


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether this is a proxy that CROSSWALK_TRUSTED_PROXIES names."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in network for network in trusted)


class TrustedProxies:
    """Puts the asking address and the outside scheme into the scope; headers of strangers are not believed."""

    def __init__(self, app: ASGIApp, networks: Sequence[Network]) -> None:
        self.app = app
        self.networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = (scope.get("client") or ("",))[0] if scope["type"] in {"http", "websocket"} else ""
        if self.networks and is_trusted(peer, self.networks):
            headers = Headers(scope=scope)
            hops = [hop.strip() for hop in ",".join(headers.getlist("x-forwarded-for")).split(",") if hop.strip()]
            scope = dict(scope, client=(client_address(peer, hops, self.networks), 0))
            scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                secure = scheme == "https"
                scope["scheme"] = ("wss" if secure else "ws") if scope["type"] == "websocket" else scheme
        await self.app(scope, receive, send)
