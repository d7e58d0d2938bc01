"""Where the running demo can be reached, for people and for programs."""

import msgspec

from app.demo.settings import ADDRESSES
from app.embedded.passwords import write_private
from app.settings import Settings

GRAPHQL_PATH = "/graphql"

# What the printed curl line asks for.
QUESTION = "{ quotes(first: 3) { nodes { number title status contactName } } }"


class Addresses(msgspec.Struct, frozen=True):
    """Written to `demo.json` (mode 0600) in the demo's data directory while the demo runs."""

    graphql_url: str
    token: str
    console_url: str
    portal_url: str
    servicem8_sandbox_url: str
    metakocka_sandbox_url: str

    @property
    def curl(self) -> str:
        """A line for a shell that works as it is."""
        body = msgspec.json.encode({"query": QUESTION}).decode()
        headers = f"-H 'Authorization: Bearer {self.token}' -H 'Content-Type: application/json'"
        return f"curl -s {self.graphql_url} {headers} -d '{body}'"


def read(settings: Settings) -> Addresses | None:
    """What a demo on this data directory wrote last, if anything."""
    try:
        return msgspec.json.decode((settings.data_dir / ADDRESSES).read_bytes(), type=Addresses)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write(settings: Settings, addresses: Addresses) -> None:
    write_private(settings.data_dir / ADDRESSES, msgspec.json.encode(addresses))
