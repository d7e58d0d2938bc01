"""The door for machines: GraphQL, and whether the hub is healthy."""
