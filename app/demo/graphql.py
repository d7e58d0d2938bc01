"""The demo as a user of the GraphQL API."""

from dataclasses import dataclass
from typing import Any

from app.demo.addresses import Addresses
from app.demo.http import post_json
from app.demo.settings import DemoRefused

CONNECTIONS = "query { connections { nodes { id name provider } } }"

SYNC_STATUS = "query ($connection: ID!) { syncStatus(connectionId: $connection) { stream records } }"

START_SYNC = """
mutation StartSync($connection: ID!, $streams: [String!], $direction: SyncDirection!, $key: String!) {
  startSync(connectionId: $connection, streams: $streams, direction: $direction, idempotencyKey: $key) {
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
    nodes { id number version externalId total { amount currency } connection { id name provider } lines { id externalId description } }
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

CONTACTS = """
query ($connection: ID!) { contacts(connectionId: $connection, first: 1) { nodes { id name version externalId } } }
"""

CONTACT = "query ($id: ID!) { contact(id: $id) { name } }"

UPDATE_CONTACT = """
mutation ($id: ID!, $version: Int!, $name: String!, $key: String!) {
  updateContact(id: $id, version: $version, changes: { name: $name }, idempotencyKey: $key) {
    __typename
    ... on UpdateContactSuccess { contact { id } }
    ... on Refusal { message }
  }
}
"""

OPEN_CONFLICTS = """
query ($connection: ID!, $record: ID!, $field: String!) {
  conflicts(connectionId: $connection, recordId: $record, field: $field, openOnly: true) { nodes { id field base ours theirs } }
}
"""

RESOLVE_CONFLICT = """
mutation ($id: ID!, $value: JSON, $key: String!) {
  resolveConflict(id: $id, resolution: VALUE, value: $value, idempotencyKey: $key) {
    __typename
    ... on ResolveConflictSuccess { conflict { resolution value } }
    ... on Refusal { message }
  }
}
"""


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
