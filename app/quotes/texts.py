"""What the mails about a decision say, in plain words: (subject, body)."""

from app.quotes.models import Decision, Quote

Text = tuple[str, str]

CHANGED = "The quote had changed at {provider} after you decided, so your decision was not carried out."
GONE = "The quote is no longer open at {provider}, so your decision was not carried out."
MOVED = "The quote is for another client at {provider} now, so the decision was not carried out."
TAKEN_BACK = "The quote was opened again at {provider} after your decision had been carried out."


def reopened_for_client(name: str, organization: str, quote: Quote, reason: str, url: str) -> Text:
    """To whom decided: nothing was carried out, and what to do now."""
    what_now = "See what changed and decide again" if quote.status == "open" else "See the details"
    return (
        f"{organization}: your decision on {_name(quote)} was not carried out",
        f"Hello {name},\n\n{reason}\n\nWhat you decided is kept, and nothing was ordered because of it. {what_now}:\n\n{url}\n",
    )


def taken_back_for_client(name: str, organization: str, quote: Quote, url: str) -> Text:
    """To whom decided: the organization asks again."""
    return (
        f"{organization}: {_name(quote)} is open again",
        f"Hello {name},\n\n{organization} opened {_name(quote)} again after your decision. "
        f"What you decided before is kept as history. Look at the quote and decide again:\n\n{url}\n",
    )


def moved_for_client(name: str, organization: str, quote: Quote, url: str) -> Text:
    """To whom decided: the quote is somebody else's now."""
    return (
        f"{organization}: {_name(quote)} is no longer yours",
        f"Hello {name},\n\n{organization} made {_name(quote)} out to somebody else, so your decision on it no longer stands. "
        f"If you did not expect this, ask {organization}. Your quotes are here:\n\n{url}\n",
    )


def reopened_for_operators(organization: str, quote: Quote, decision: Decision, reason: str, url: str) -> Text:
    """To those who work for the organization."""
    who = str(decision.decided_by.get("name") or "a client")
    return (
        f"{_name(quote)} ({quote.contact_name or organization}): a decision no longer stands",
        f"Hello,\n\n{who} decided {_name(quote)} ({decision.outcome.replace('_', ' ')}).\n{reason}\n\n"
        f"The decision is kept as history, and the client was told. See it here:\n\n{url}\n",
    )


def _name(quote: Quote) -> str:
    return f"quote {quote.number}" if quote.number else f"the quote “{quote.title}”"
