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
    "plan-dismissed": "The plan is dismissed. Nothing of it was done.",
    "plan-renewed": "A new plan is being made, of how things are now.",
    "record-saved": "Saved. Where a connection is written, your changes wait to be sent.",
    "nothing-changed": "Nothing was different, so nothing was changed.",
    "record-deleted": "The record is deleted here. Its history is kept.",
    "record-restored": "The record is again what it was.",
    "contact-created": "The contact is here now.",
    "rule-made": "The rule is made. It counts from the next sync on.",
    "mapping-saved": "The version is saved. It does not count before you publish it.",
    "mapping-published": "It counts from the next sync on.",
    "remapping": "It counts now, and what was read before is translated by it.",
    "remap-later": "It counts from now on. What was read before is not translated yet: another run is going on, or the connection is off.",
    "rules-saved": "The rules are saved. They count from the next sync on.",
}

ALIKE_WORDS = {"tax_number": "tax number", "email": "e-mail address", "name": "name"}
"""By what contacts are taken for the same."""

ORPHAN_WORDS = {
    "record_deleted": ("Deleted here", "The provider still has it. The rules of its stream kept the deletion in the hub."),
    "object_deleted": ("Deleted at the provider", "The record is still here. The rules of its stream kept it."),
    "merged": ("Merged into another contact", "The object is still there; what changes in it reaches the contact that stayed."),
}
"""By which side of a mapping is gone: what it is, and what that means."""

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

KIND_WORDS = {
    "create": "New",
    "update": "Changed",
    "delete": "Deleted",
    "restore": "Brought back",
    "conflict": "Conflicts",
    "failure": "Not working",
    "hold": "Held back",
    "remain": "Cannot be taken back",
}
"""Items of a plan, by what becomes of them, in the order in which they are counted."""

MOVED_WORDS = {
    "record": "the record was changed here",
    "mapping": "where it stands with its counterpart has changed",
    "provider": "it was changed at the provider",
    "outcome": "it would have come to something else than was shown",
    "terms": "its field mapping or rules were changed, or the plan is older than a week",
}
"""Why a plan is outdated."""

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
