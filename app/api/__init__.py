"""The door for machines: GraphQL, and whether the hub is healthy.

`http` and `live.websocket` are where requests arrive, `gate` what each passes, `reads` and `short_way` how most are answered,
`live` what stays open. `schema` is put together from `types`, `queries`, `mutations` and `subscriptions`.
"""
