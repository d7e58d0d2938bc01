"""Where the servers of one data directory keep what is theirs.

An ordinary user's servers live in the data directory itself. Root's servers run as an unprivileged user who may not
reach that directory (a checkout in /root), so they live in /var/lib/crosswalk/<hash of the data directory's path>, and the
data directory holds a link to it. No parent directory's mode is ever changed.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import EmbeddedUnavailable
from app.embedded.privileges import Account, server_account

ROOTS_PLACE = Path("/var/lib/crosswalk")

# In each home there: the data directory that it belongs to.
BELONGS_TO = "belongs-to"

# sockaddr_un's room without the closing zero; the longest name in the directory is `.s.PGSQL.5432.lock`.
LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107
LONGEST_SOCKET_DIRECTORY = LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432.lock")

# What needs no quoting in a Postgres list, a URL or a configuration file.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of one data directory's servers, and the account that they run as."""

    data_dir: Path
    path: Path
    account: Account | None

    @property
    def cluster(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey_data(self) -> Path:
        return self.path / "valkey"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def passwords(self) -> Path:
        return self.path / "passwords.json"

    @property
    def running(self) -> Path:
        return self.path / "running.json"

    @property
    def link(self) -> Path:
        return self.data_dir / "servers"


def home_of(data_dir: Path) -> Home:
    """The home of this data directory's servers, whether it exists yet or not."""
    data_dir = data_dir.expanduser().absolute().resolve()
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    account = server_account(int(digest, 16))
    link = data_dir / "servers"
    if account is None:
        return Home(data_dir, _own(link), None)
    return Home(data_dir, _linked(link) or ROOTS_PLACE / digest, account)


def prepare(home: Home) -> None:
    """Make the data directory and the servers' home, closed to everybody else."""
    home.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if home.account is None:
        home.path.mkdir(exist_ok=True, mode=0o700)
        home.path.chmod(0o700)
        return
    if not ROOTS_PLACE.exists():
        ROOTS_PLACE.mkdir(parents=True)
        ROOTS_PLACE.chmod(0o711)
    home.path.mkdir(exist_ok=True, mode=0o700)
    os.chown(home.path, 0, home.account.gid)
    home.path.chmod(0o710)


def link(home: Home) -> None:
    """Link root's servers from the data directory, once.

    A home without a link was left by a data directory that somebody deleted and made anew: what is in it is set
    aside under a name that tells when, so that the new one begins empty and nothing is destroyed unasked.
    """
    if home.account is None or home.link.is_symlink():
        return
    if home.cluster.exists():
        aside = home.path.with_name(f"{home.path.name}.left-{time.strftime('%Y%m%d%H%M%S')}")
        aside.mkdir(mode=0o700)
        for part in (home.cluster, home.valkey_data, home.passwords, home.path / BELONGS_TO):
            if part.exists():
                part.rename(aside / part.name)
    belongs_to = home.path / BELONGS_TO
    belongs_to.touch(mode=0o600)
    belongs_to.write_text(str(home.data_dir))
    home.link.symlink_to(home.path)


def abandoned() -> list[Path]:
    """Homes of root's whose data directory is gone: what nobody will start again and only a person may delete."""
    notes = ROOTS_PLACE.glob(f"*/{BELONGS_TO}")
    return sorted(note.parent for note in notes if not _leads_to(Path(os.fsdecode(note.read_bytes())) / "servers", note.parent))


def _leads_to(link: Path, home: Path) -> bool:
    return link.is_symlink() and link.readlink() == home


def private_directory(home: Home, path: Path) -> Path:
    """A directory that only the servers' account (and root) can use."""
    path.mkdir(exist_ok=True, mode=0o700)
    path.chmod(0o700)
    if home.account is not None:
        os.chown(path, home.account.uid, home.account.gid)
    return path


def socket_directory(home: Home) -> Path:
    """The directory of the Unix sockets: in the home, or a short private one where the home's path is too long."""
    path = home.path / "run"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_DIRECTORY and PLAIN_PATH.fullmatch(str(path)):
        return private_directory(home, path)
    digest = hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]
    path = Path("/tmp") / f"crosswalk-{os.getuid()}-{digest}"
    path.mkdir(exist_ok=True, mode=0o700)
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EmbeddedUnavailable(f"{path} belongs to somebody else; choose a shorter CROSSWALK_DATA_DIR.")
    return path


def draft_directory(home: Home) -> Path:
    """An empty directory beside the cluster in which a new one is made before it gets its name."""
    for forgotten in home.path.glob("draft-*"):
        shutil.rmtree(forgotten)
    return private_directory(home, Path(tempfile.mkdtemp(prefix="draft-", dir=home.path)))


def _own(link: Path) -> Path:
    if link.is_symlink():
        raise EmbeddedUnavailable(f"{link.parent} was used by root, whose servers this user cannot run; choose another CROSSWALK_DATA_DIR.")
    return link


def _linked(link: Path) -> Path | None:
    """Where the link leads. Only our own place counts: root follows no link of somebody else's making elsewhere."""
    if link.is_symlink():
        target = link.readlink()
        if target.parent != ROOTS_PLACE:
            raise EmbeddedUnavailable(f"{link} leads to {target}, which is not below {ROOTS_PLACE}; remove the link.")
        return target
    if link.exists():
        owner = link.stat().st_uid
        raise EmbeddedUnavailable(f"{link.parent} is used by user {owner}; run this as that user or choose another CROSSWALK_DATA_DIR.")
    return None
