"""Sentences that several pages of the console share."""

DONE_WORDS = {
    "saved": "Saved.",
    "created": "The connection is saved and tested. You can import its data now.",
    "removed": "The connection is removed. Its records, runs and logs are kept.",
    "restored": "The connection is back. Enter its credentials again, then test it.",
    "earlier": "A sync of this connection is going on already; here it is.",
    "cancelling": "The run is being cancelled. It stops at its last checkpoint.",
    "sync-saved": "The sync is saved.",
    "sync-removed": "The sync is removed. Its runs are kept.",
    "invited": "The invitation is on its way.",
    "resent": "The decision is being sent again.",
    "revoked": "The token is revoked.",
    "record-saved": "Saved. Where a connection is written, your changes wait to be sent.",
    "nothing-changed": "Nothing was different, so nothing was changed.",
    "record-deleted": "The record is deleted here. Its history is kept.",
    "record-restored": "The record is again what it was.",
    "rule-made": "The rule is made. It counts from the next sync on.",
    "rules-saved": "The rules are saved. They count from the next sync on.",
}

FIX_WORDS = {
    "customer": "You can fix this: correct the settings or the data, then try again.",
    "time": "Time fixes this: it is tried again by itself.",
    "us": "This is for us to fix; the details are in the log.",
}

STAGE_WORDS = {
    "read": "Reading it",
    "assemble": "Putting its parts together",
    "translate": "Translating its fields",
    "validate": "Checking its values",
    "store": "Storing it",
    "project": "Making a quote of it",
    "push": "Writing it at the provider",
}

RULE_WORDS = {
    "ask": ("Ask me", "Both values wait in the conflict inbox until somebody chooses. Nothing is overwritten."),
    "provider_wins": (
        "{provider}’s value counts",
        "What was changed here in the same field is replaced. It stays in the record’s history.",
    ),
    "hub_wins": ("The hub’s value counts", "What was changed at {provider} in the same field is replaced where it can be written."),
    "newest": ("The newest change counts", "The side that was changed last. Where both were changed at the same time, you are asked."),
}
"""By rule: what it says, and what that means."""
