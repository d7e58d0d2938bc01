"""The one guard of everything that leaves the hub: HTTP to providers, SMTP, SFTP, alert webhooks.

It resolves a name first and hands out only the addresses that it checked; who connects must connect to those. Refused are
private, loopback, link-local, shared, reserved and multicast addresses, in every spelling that the resolver understands, except
`CROSSWALK_ALLOWED_NETWORKS` (on-premises systems) and the sandboxes that the deployment registered. Addresses from which a cloud
machine hands out its own credentials are refused in any case.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from app.connectors.errors import AddressRefused, ProviderUnavailable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# Beside what Python's own `is_global` excludes, which differs between its releases (IANA special-purpose registries).
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
            *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20"),
            *("5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
        ),
    )
)
# Metadata services of clouds, "this host" and multicast: no allowed network opens them.
_NEVER = tuple(
    map(
        ip_network,
        (
            *("169.254.169.254/32", "169.254.170.0/24", "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32"),
            *("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8"),
        ),
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


class OutboundGuard:
    """Decides which addresses the hub may connect to."""

    def __init__(
        self, allowed_networks: Iterable[Network] = (), sandbox_urls: Iterable[str] = (), *, resolve: Resolve | None = None
    ) -> None:
        self._allowed = tuple(allowed_networks)
        self._sandboxes = frozenset(map(_endpoint, sandbox_urls))
        self._resolve = resolve or resolve_with_system

    async def resolve_checked(self, host: str, port: int, *, encrypted: bool = True) -> tuple[str, ...]:
        """The addresses of a host, each of which may be connected to.

        Unencrypted connections are for allowed networks and sandboxes only. One refused address refuses the host: a name that
        answers with public and private addresses is an attack or a mistake. Raises AddressRefused; ProviderUnavailable when
        the resolver itself is away.
        """
        addresses = [_parse(text) for text in await self._resolve(host, port)]
        if not addresses:
            raise AddressRefused(f"The address {host!r} could not be found; check its spelling.")
        sandbox = self.is_sandbox(host, port)
        for address in addresses:
            self._check(host, address, sandbox=sandbox, encrypted=encrypted)
        return tuple(dict.fromkeys(map(str, addresses)))

    def is_sandbox(self, host: str, port: int) -> bool:
        """Whether the deployment registered this very host and port as a sandbox."""
        return (_plain(host), port) in self._sandboxes

    def _check(self, host: str, address: Address, *, sandbox: bool, encrypted: bool) -> None:
        meant = _meant(address)
        if _in(meant, _NEVER):
            raise _refused(host)
        if sandbox or _in(meant, self._allowed):
            return
        if _in(meant, _NOT_PUBLIC) or not meant.is_global:
            raise _refused(host)
        if not encrypted:
            raise AddressRefused(f"{host!r} can only be used with https: credentials never travel unencrypted.")


def _refused(host: str) -> AddressRefused:
    # Neutral on purpose: which private addresses exist is nobody's business. The address itself is not named.
    return AddressRefused(
        f"{host!r} is not a public address, so it cannot be used. Systems on a private network must be allowed by the operator."
    )


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or IPv6Address(int(address))


def _in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _parse(text: str) -> Address:
    return ip_address(text)


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _endpoint(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return _plain(parts.hostname or ""), parts.port or _PORTS.get(parts.scheme, 0)


async def resolve_with_system(host: str, port: int) -> Sequence[str]:
    """All addresses that the system's resolver gives, literal and numeric spellings included."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise ProviderUnavailable(f"The name {host!r} could not be looked up just now.") from None
        raise AddressRefused(f"The address {host!r} could not be found; check its spelling.") from None
    except (UnicodeError, ValueError):
        raise AddressRefused(f"{host[:100]!r} is not the name of a host.") from None
    return [str(entry[4][0]) for entry in found]
