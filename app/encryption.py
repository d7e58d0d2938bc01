"""Seals credentials before they are stored. Losing the master key loses credentials only: they are entered again."""

import hmac
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.errors import FixBy, HubError
from app.settings import Settings

KEY_FILE = "master.key"


class MasterKeyInvalid(HubError):
    """The master key cannot be used; it holds Fernet keys (32 bytes, URL-safe base64), newest first."""

    code = "master_key_invalid"


class CredentialsUnreadable(HubError):
    """These credentials were sealed with another master key: use that key again (CROSSWALK_MASTER_KEY), or enter them again."""

    code = "credentials_unreadable"
    fix_by = FixBy.CUSTOMER


class Vault:
    """Seals with the first key and opens with any, so that keys can be changed while the hub runs."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise MasterKeyInvalid
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise MasterKeyInvalid from None
        self._fingerprint_key = sha256(b"fingerprint:" + keys[0].encode()).digest()

    @classmethod
    def load_or_make(cls, settings: Settings) -> Self:
        """The vault of the keys in the settings, else of the file `master.key` in the data directory, made if missing."""
        if settings.master_key:
            return cls([key.strip() for key in settings.master_key.split(",") if key.strip()])
        path = settings.data_dir / KEY_FILE
        if not path.exists():
            _make_key_file(path)
        return cls(path.read_text().split())

    def __repr__(self) -> str:
        return "Vault(…)"

    def seal(self, secrets: Mapping[str, str]) -> bytes:
        return self._fernet.encrypt(msgspec.json.encode(dict(secrets)))

    def open(self, sealed: bytes) -> dict[str, str]:
        """Raises CredentialsUnreadable."""
        try:
            return msgspec.json.decode(self._fernet.decrypt(sealed), type=dict[str, str])
        except InvalidToken:
            raise CredentialsUnreadable from None

    def rotate(self, sealed: bytes) -> bytes:
        """The same secrets under the newest key. Raises CredentialsUnreadable."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            raise CredentialsUnreadable from None

    def fingerprint(self, secrets: Mapping[str, str]) -> str:
        """Tells whether two sets of secrets are the same; without the master key it says nothing of them."""
        text = msgspec.json.encode(sorted(secrets.items()))
        return hmac.new(self._fingerprint_key, text, sha256).hexdigest()


def _make_key_file(path: Path) -> None:
    """Written whole under another name first: of two processes that start together, one gives the key to both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _link_unless_there(draft, path)
    finally:
        draft.unlink()


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
