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
}
