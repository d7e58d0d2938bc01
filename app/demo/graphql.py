"""The demo as a user of the GraphQL API."""

from dataclasses import dataclass
from typing import Any

from app.demo.addresses import Addresses
from app.demo.http import post_json
from app.demo.settings import DemoRefused

CONNECTIONS = "query { connections { nodes { id name } } }"

SYNC_STATUS = "query ($connection: ID!) { syncStatus(connectionId: $connection) { stream records } }"

START_SYNC = """
mutation StartSync($connection: ID!, $key: String!) {
  startSync(connectionId: $connection, idempotencyKey: $key) {
    __typename
    ... on StartSyncSuccess { run { id } }
    ... on SyncInProgress { existingRun { id } }
    ... on Refusal { message }
  }
}
"""

SYNC_RUN = "query ($id: ID!) { syncRun(id: $id) { status message counts { read failed } } }"

OPEN_QUOTES = """
query ($after: String) {
  quotes(status: OPEN, first: 100, after: $after) {
    nodes { id number version externalId total { amount currency } connection { id name } lines { id externalId description } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

APPROVE = """
mutation ($quote: ID!, $version: Int!, $lines: [ID!]!, $name: String!, $note: String!, $key: String!) {
  approveQuote(
    quoteId: $quote, version: $version, lineIds: $lines, signatureName: $name, acceptTerms: true, note: $note, idempotencyKey: $key
  ) {
    __typename
    ... on ApproveQuoteSuccess { decision { outcome approvedTotal { amount currency } } quote { id status } }
    ... on Refusal { message }
  }
}
"""

QUOTE = "query ($id: ID!) { quote(id: $id) { status delivery { status } } }"


@dataclass(frozen=True, slots=True)
class GraphQL:
    """Asks the demo's API with the demo's token."""

    addresses: Addresses

    def ask(self, document: str, **variables: Any) -> Any:
        """The data. Raises DemoRefused for errors."""
        headers = {"Authorization": f"Bearer {self.addresses.token}"}
        answer = post_json(self.addresses.graphql_url, {"query": document, "variables": variables}, headers)
        if answer.get("errors"):
            raise DemoRefused(f"The API answered with an error: {answer['errors'][0]['message']}")
        return answer["data"]
