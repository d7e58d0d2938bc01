"""What the mails about a delivery say, in plain words: (subject, body)."""

Text = tuple[str, str]


def failed(provider: str, action: str, message: str, url: str) -> Text:
    """A decision that the provider does not take, or that our own errors keep from it."""
    return (
        f"A decision could not be carried out in {provider}",
        f"Hello,\n\n{provider} could not be told of a client's decision ({action.replace('_', ' ')}):\n\n{message}\n\n"
        f"The decision is safe. Correct what is wrong and send it again here:\n\n{url}\n",
    )


def waiting(provider: str, action: str, message: str, minutes: int, url: str) -> Text:
    """A decision that has been waiting for long."""
    return (
        f"A decision is waiting for {provider}",
        f"Hello,\n\na client's decision ({action.replace('_', ' ')}) could not be sent to {provider} for {minutes} minutes:\n\n"
        f"{message}\n\nThe decision is safe and is tried again by itself until it gets through. See it here:\n\n{url}\n",
    )
