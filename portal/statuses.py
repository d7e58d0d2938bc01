"""How a status looks: a meaning, an icon and a word. Colour never stands alone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """`meaning` is good, attention, bad, information or empty (neutral)."""

    meaning: str
    icon: str
    word: str
    moving: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of something that takes a while. `stage` is done, now, todo or wrong."""

    stage: str
    title: str
    text: str = ""


_UNKNOWN = Look("", "info", "Unknown")

_QUOTE = {
    "open": Look("information", "quote", "Open"),
    "approved": Look("good", "check", "Approved"),
    "partially_approved": Look("good", "check", "Partly approved"),
    "rejected": Look("", "cross", "Declined"),
    "expired": Look("attention", "clock", "Expired"),
    "withdrawn": Look("", "pause", "Withdrawn"),
}
_RUN = {
    "queued": Look("", "clock", "Waiting to start"),
    "running": Look("information", "turn", "Running", moving=True),
    "cancelling": Look("attention", "turn", "Cancelling", moving=True),
    "completed": Look("good", "check", "Completed"),
    "partially_completed": Look("attention", "alert", "Completed, some records failed"),
    "failed": Look("bad", "cross", "Failed"),
    "cancelled": Look("", "pause", "Cancelled"),
}
_CONNECTION = {
    "untested": Look("attention", "lab", "Not tested yet"),
    "active": Look("good", "check", "Healthy"),
    "needs_attention": Look("bad", "alert", "Needs you"),
    "paused": Look("attention", "pause", "Paused"),
    "disabled": Look("", "pause", "Switched off"),
}
_DELIVERY = {
    "queued": Look("", "clock", "Recorded"),
    "sending": Look("information", "turn", "Being sent", moving=True),
    "confirmed": Look("good", "check", "Confirmed"),
    "not_applied": Look("attention", "alert", "Not applied"),
    "failed": Look("bad", "cross", "Could not be sent"),
}
_MAPPING = {
    "pending": Look("information", "clock", "Waits to be sent"),
    "synced": Look("good", "check", "In step"),
    "conflict": Look("attention", "alert", "Waits for a decision"),
    "failed": Look("bad", "cross", "Did not work"),
    "deleted": Look("", "bin", "Deleted there"),
}
_PLAN = {
    "making": Look("information", "turn", "Being made", moving=True),
    "drafted": Look("attention", "clock", "Waits for a decision"),
    "applying": Look("information", "turn", "Being applied", moving=True),
    "in_part": Look("attention", "check", "Applied in part"),
    "applied": Look("good", "check", "Applied"),
    "outdated": Look("attention", "alert", "Outdated"),
    "dismissed": Look("", "pause", "Dismissed"),
    "failed": Look("bad", "cross", "Could not be made"),
}
_PLAN_ITEM = {
    "create": Look("good", "plus", "New"),
    "update": Look("information", "turn", "Changed"),
    "delete": Look("bad", "bin", "Deleted"),
    "restore": Look("good", "up", "Brought back"),
    "conflict": Look("attention", "fork", "Conflict"),
    "failure": Look("bad", "cross", "Does not work"),
    "hold": Look("attention", "pause", "Held back"),
    "remain": Look("", "lock", "Stays"),
}
_MAIL = {
    "queued": Look("", "clock", "Waiting"),
    "sent": Look("good", "check", "Sent"),
    "kept": Look("information", "mail", "Kept here"),
    "failed": Look("bad", "cross", "Could not be sent"),
}


def quote_look(status: str) -> Look:
    return _QUOTE.get(status, _UNKNOWN)


def client_quote_look(status: str) -> Look:
    """In the client's words: an open quote waits for them."""
    return Look("information", "quote", "Waiting for you") if status == "open" else quote_look(status)


def run_look(status: str) -> Look:
    return _RUN.get(status, _UNKNOWN)


def connection_look(status: str) -> Look:
    return _CONNECTION.get(status, _UNKNOWN)


def delivery_look(status: str) -> Look:
    return _DELIVERY.get(status, _UNKNOWN)


def mapping_look(status: str) -> Look:
    """Where a record stands with its counterpart at a connection."""
    return _MAPPING.get(status, _UNKNOWN)


def plan_look(status: str, *, was_applied: bool = False) -> Look:
    """`was_applied`: some of it was."""
    return _PLAN.get("in_part" if was_applied and status == "drafted" else status, _UNKNOWN)


def plan_item_look(kind: str) -> Look:
    """What a plan does to a record."""
    return _PLAN_ITEM.get(kind, _UNKNOWN)


def conflict_look(status: str) -> Look:
    """Whether a conflict is open or decided."""
    return Look("good", "check", "Decided") if status == "decided" else Look("attention", "alert", "Open")


_FAILED = {
    "open": Look("attention", "alert", "Still fails"),
    "dismissed": Look("", "pause", "Left as it is"),
    "resolved": Look("good", "check", "Well by now"),
}
_HELD = {
    "held": Look("attention", "alert", "Waits for you"),
    "releasing": Look("information", "turn", "Being deleted", moving=True),
    "released": Look("", "bin", "Deleted"),
    "dismissed": Look("good", "check", "Kept"),
}


def failed_look(state: str) -> Look:
    return _FAILED.get(state, _UNKNOWN)


def held_look(status: str) -> Look:
    """Where deletions stand that the brake held back."""
    return _HELD.get(status, _UNKNOWN)


def mail_look(status: str) -> Look:
    return _MAIL.get(status, _UNKNOWN)
