"""What may be connected to, in every spelling of an address."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_network

import httpcore
import httpx
import pytest

from app.connectors.client import base_url_of
from app.connectors.errors import AddressRefused, ProviderUnavailable
from app.connectors.guard import OutboundGuard
from app.connectors.transport import GuardedTransport
from tests.connectors.kit import client_of
from tests.connectors.raw_server import answer, raw_server

REFUSED = [
    *("127.0.0.1", "127.1", "0.0.0.0", "0", "10.0.0.8", "172.16.3.4", "192.168.1.1", "100.64.0.1", "169.254.169.254"),
    *("2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "3232235777", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
    *("::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    *("2002:7f00:1::", "2002:c0a8:101::", "fe80::1", "fec0::1", "fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1", "2001::1"),
    *("168.63.129.16", "100.100.100.200", "198.18.0.1", "192.0.2.1", "203.0.113.9", "192.88.99.1", "localhost"),
]


def guard_that_resolves(*addresses: str, **options: object) -> OutboundGuard:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return OutboundGuard(**options, resolve=resolve)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", REFUSED)
async def test_an_address_that_is_not_public_is_refused_in_every_spelling(host: str):
    with pytest.raises(AddressRefused) as refused:
        await OutboundGuard().resolve_checked(host, 443)

    assert "169.254" not in refused.value.message.replace(host, "")


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("10.1.2.3",), ("93.184.216.34", "192.168.0.5"), ("::ffff:10.0.0.1",), ("fe80::1%1",)]
)
async def test_a_public_name_that_leads_inside_is_refused(addresses: tuple[str, ...]):
    with pytest.raises(AddressRefused):
        await guard_that_resolves(*addresses).resolve_checked("innocent.example.com", 443)


async def test_a_public_name_gives_the_checked_addresses_once_each():
    guard = guard_that_resolves("93.184.216.34", "2606:2800:220:1::1", "93.184.216.34")

    assert await guard.resolve_checked("example.com", 443) == ("93.184.216.34", "2606:2800:220:1::1")


async def test_an_allowed_network_opens_only_itself():
    guard = OutboundGuard([ip_network("10.20.0.0/16")])

    assert await guard.resolve_checked("10.20.0.7", 8443) == ("10.20.0.7",)
    assert await guard.resolve_checked("10.20.0.7", 80, encrypted=False) == ("10.20.0.7",)
    for host in ("10.21.0.7", "127.0.0.1"):
        with pytest.raises(AddressRefused):
            await guard.resolve_checked(host, 443)


@pytest.mark.parametrize("host", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "224.0.0.1"])
async def test_no_allowed_network_opens_metadata_services(host: str):
    guard = OutboundGuard([ip_network("0.0.0.0/0"), ip_network("::/0")])

    with pytest.raises(AddressRefused):
        await guard.resolve_checked(host, 80)


async def test_a_registered_sandbox_opens_its_own_port_only():
    guard = OutboundGuard((), ["http://127.0.0.1:8100"])

    assert await guard.resolve_checked("127.0.0.1", 8100, encrypted=False) == ("127.0.0.1",)
    for host, port in (("127.0.0.1", 8101), ("localhost", 8100), ("127.0.0.2", 8100)):
        with pytest.raises(AddressRefused):
            await guard.resolve_checked(host, port)


async def test_credentials_never_travel_unencrypted_to_a_public_address():
    with pytest.raises(AddressRefused, match="https"):
        await guard_that_resolves("93.184.216.34").resolve_checked("example.com", 80, encrypted=False)


async def test_a_name_that_nobody_has_is_the_customers_to_correct():
    with pytest.raises((AddressRefused, ProviderUnavailable)):
        await OutboundGuard().resolve_checked("no-such-host.invalid", 443)
    for nonsense in ("a" * 300, "bad..name", "x y"):
        with pytest.raises((AddressRefused, ProviderUnavailable)):
            await OutboundGuard().resolve_checked(nonsense, 443)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://user:password@api.example.com",
            "https://api.example.com@evil.example",
            "https://api.example.com?x=1",
            "file:///etc/passwd",
        ),
        *(
            "https://api.example.com#@evil.example",
            "https://evil.example\\@api.example.com",
            "gopher://x",
            "api.example.com",
            "https://",
            "",
        ),
    ],
)
def test_a_base_url_holds_nothing_but_scheme_host_and_path(url: str):
    with pytest.raises(AddressRefused):
        base_url_of(url)


def test_a_base_url_loses_its_last_slash():
    assert base_url_of(" https://api.example.com/v1/ ") == "https://api.example.com/v1"


async def test_the_connection_goes_to_the_checked_address_and_the_name_is_kept():
    async with raw_server(answer("200 OK", b"{}")) as server:
        port = int(server.url.rpartition(":")[2])
        guard = guard_that_resolves("127.0.0.1", sandbox_urls=[f"http://provider.test:{port}"])
        transport = GuardedTransport(guard)
        async with httpx.AsyncClient(transport=transport) as client:
            await client.get(f"http://provider.test:{port}/a")

    assert f"host: provider.test:{port}".encode() in server.requests[0].lower()


async def test_a_name_that_moves_inside_after_it_was_checked_is_refused_at_the_next_connection():
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    async with raw_server(answer("200 OK", b"{}", "Connection: close")) as server:
        port = int(server.url.rpartition(":")[2])
        transport = GuardedTransport(OutboundGuard((), [f"http://rebind.test:{port}"], resolve=resolve))
        async with httpx.AsyncClient(transport=transport) as client:
            assert (await client.get(f"http://rebind.test:{port}/")).status_code == 200
            with pytest.raises(AddressRefused):
                await client.get(f"http://rebind.test:{port}/")


async def test_pooled_connections_are_reused():
    async with raw_server(*[answer("200 OK", b"{}")] * 5) as server, client_of(server.url) as client:
        for _ in range(5):
            await client.get("/a")

        assert server.connections == 1


async def test_both_pools_are_guarded_below_the_library():
    """httpx has no parameter for it: this fails when an update of httpx moves the place where the guard stands."""
    transport = GuardedTransport(OutboundGuard())
    for pool in transport._pools.values():
        assert isinstance(pool._pool, httpcore.AsyncConnectionPool)
        with pytest.raises(AddressRefused):
            await pool._pool._network_backend.connect_tcp("127.0.0.1", 1)
        with pytest.raises(AddressRefused):
            await pool._pool._network_backend.connect_unix_socket("/run/docker.sock")
    await transport.aclose()


async def test_a_redirect_is_not_followed():
    async with (
        raw_server(answer("302 Found", b"", "Location: http://169.254.169.254/latest/meta-data/")) as server,
        client_of(server.url) as client,
    ):
        with pytest.raises(AddressRefused, match="not followed"):
            await client.get("/a")

    assert len(server.requests) == 1


async def test_the_second_address_is_tried_when_the_first_does_not_answer():
    with socket.create_server(("127.0.0.3", 0)) as closed:
        dead_port = closed.getsockname()[1]
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", dead_port)
    guard = guard_that_resolves("127.0.0.3", "127.0.0.1", sandbox_urls=[f"http://two.test:{dead_port}"])
    transport = GuardedTransport(guard)
    stream = await transport._pools["http"]._pool._network_backend.connect_tcp("two.test", dead_port, timeout=2)

    assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"

    await stream.aclose()
    await transport.aclose()
    server.close()
    await server.wait_closed()
