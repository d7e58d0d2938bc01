"""The servers' passwords, made at the first start into a file that only its owner reads."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class Passwords:
    """One for each login: Postgres' superuser, the owner of the tables, the app's role, and Valkey."""

    postgres: str
    crosswalk_owner: str
    crosswalk_app: str
    valkey: str

    def __repr__(self) -> str:
        return "Passwords(…)"


def read_passwords(path: Path) -> Passwords:
    """The passwords of servers that exist already."""
    return msgspec.json.decode(path.read_bytes(), type=Passwords)


def read_or_make_passwords(path: Path) -> Passwords:
    """The passwords in this file, which is written if there is none."""
    if path.exists():
        return read_passwords(path)
    passwords = Passwords(*(secrets.token_hex(24) for _ in range(4)))
    write_private(path, msgspec.json.encode(passwords))
    return passwords


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by one with mode 0600; a reader sees the old or the new content, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
