"""Reads compiled to SQL: a selection becomes one statement whose JSON goes to the client as Postgres wrote it.

`sources` is the vocabulary in which a type says what its fields are, `planner` turns a validated operation into SQL,
`plans` keeps what was planned, `answers` runs it. What a resolver has to answer stays with the ordinary executor.
"""
