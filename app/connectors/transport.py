"""HTTP connections that can only be made to checked addresses.

The guard stands where a socket is opened: TLS and the Host header keep the name, the socket goes to the address that was
checked, and a pooled connection is not resolved again. No redirect is followed here or above. Proxies of the environment are not used.
"""

from collections.abc import Iterable

import httpcore
import httpx

from app.connectors.errors import AddressRefused
from app.connectors.guard import OutboundGuard
from app.connectors.reclaiming import ReclaimingTransport

LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=30)


class GuardedTransport(httpx.AsyncBaseTransport):
    """One per process: two pools, because only allowed networks and sandboxes may be reached unencrypted."""

    def __init__(self, guard: OutboundGuard, *, limits: httpx.Limits = LIMITS) -> None:
        self._pools = {"https": _pool(guard, limits, encrypted=True), "http": _pool(guard, limits, encrypted=False)}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool = self._pools.get(request.url.scheme)
        if pool is None:
            raise AddressRefused("An address must begin with https://.")
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


def _pool(guard: OutboundGuard, limits: httpx.Limits, *, encrypted: bool) -> httpx.AsyncBaseTransport:
    transport = httpx.AsyncHTTPTransport(verify=encrypted, limits=limits)
    # httpx offers no parameter for it, and a rewritten URL would pool two names of one address together, past the
    # certificate check of the second. httpx 0.28.1 is its last release; tests/connectors/test_guard.py watches this line.
    transport._pool._network_backend = _GuardedBackend(guard, encrypted=encrypted)
    return ReclaimingTransport(transport)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, guard: OutboundGuard, *, encrypted: bool) -> None:
        self._guard = guard
        self._encrypted = encrypted
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await self._guard.resolve_checked(host, port, encrypted=self._encrypted)
        for address in others:
            try:
                return await self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._sockets.connect_tcp(last, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        await self._sockets.sleep(seconds)
