"""Who asks: the account of an API key, and the three shapes of a 401.

OAuth is not imitated, so every bearer token is unknown and is refused as a wrong key is. HTTP Basic, which the provider
still evaluates for old integrations, never has a right password here.
"""

from starlette.datastructures import Headers

from .answers import no_credentials, wrong_key, wrong_password
from .store import Account, Store


def authenticate(store: Store, headers: Headers) -> tuple[str, Account]:
    """The key and its account; a refusal in the shape that fits what was sent."""
    if key := headers.get("x-api-key"):
        if account := store.by_key.get(key):
            return key, account
        raise wrong_key()
    scheme = headers.get("authorization", "").partition(" ")[0].lower()
    if scheme == "basic":
        raise wrong_password()
    raise wrong_key() if scheme == "bearer" else no_credentials()
