"""When a mail is tried again."""

import random
from datetime import timedelta

from app.errors import InvalidInput
from app.plain_text import is_one_line

ATTEMPTS = 10
"""With the pauses below: about six hours."""
LEASE = timedelta(minutes=2)
"""How long one attempt may take before another worker tries."""


def pause_after(attempt: int, luck: float | None = None) -> timedelta:
    """30 s, then twice as long each time, an hour at most, and up to a fifth more so that mails do not come in herds."""
    jitter = 1 + 0.2 * (random.random() if luck is None else luck)
    return timedelta(seconds=min(3600, 30 * 2 ** (attempt - 1)) * jitter)


def check(recipient: str, subject: str) -> None:
    """A header is one line: a second one would be somebody else's header. Raises InvalidInput."""
    if not is_one_line(recipient) or not is_one_line(subject) or "@" not in recipient:
        raise InvalidInput(fields={"recipient": "This mail cannot be addressed."})
