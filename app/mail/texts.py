"""What the hub's own mails say, in plain words: (subject, body)."""

from datetime import timedelta

Text = tuple[str, str]


def sign_in(name: str, organization: str, url: str, lifetime: timedelta) -> Text:
    """A link that somebody asked for."""
    return (
        f"Sign in to {organization}",
        f"Hello {name},\n\n"
        f"open this link and press the button to sign in to {organization}:\n\n{url}\n\n"
        f"It works once, for {in_words(lifetime)}. If you did not ask for it, you need not do anything.\n",
    )


def invitation(name: str, organization: str, client: str, url: str, lifetime: timedelta) -> Text:
    """A contact of a client may see its quotes from now on."""
    return (
        f"{organization}: your quotes",
        f"Hello {name},\n\n"
        f"{organization} invites you to see and decide its quotes for {client}. "
        f"Open this link and press the button:\n\n{url}\n\n"
        f"It works once, for {in_words(lifetime)}. Afterwards you can ask for a new one on the same page.\n",
    )


def welcome(name: str, organization: str, url: str) -> Text:
    """Somebody works for the organization from now on."""
    return (
        f"You can sign in to {organization}",
        f"Hello {name},\n\n"
        f"you can sign in to the console of {organization} from now on. Enter your e-mail address here, "
        f"and a link comes by mail:\n\n{url}\n",
    )


def connection_needs_attention(connection: str, message: str, url: str) -> Text:
    """Work on a connection stopped until somebody acts."""
    return (
        f"{connection} needs your attention",
        f"Hello,\n\nthe connection {connection} stopped working:\n\n{message}\n\nSee what to do here:\n\n{url}\n",
    )


def in_words(lifetime: timedelta) -> str:
    """“7 days”, “12 hours”, “15 minutes”."""
    seconds = round(lifetime.total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour")):
        if seconds >= size and seconds % size == 0:
            return _count(seconds // size, unit)
    return _count(max(1, seconds // 60), "minute")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
