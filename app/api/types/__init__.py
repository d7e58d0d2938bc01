"""The types of the schema, by feature: what GraphQL shows of a thing, and how a read of it becomes SQL."""
