"""`crosswalk doctor`: explains every setting and looks at everything that the hub leans on."""

import stat
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app import embedded
from app.commands.database_checks import check_database
from app.commands.findings import Finding, attention, bad, good
from app.commands.servers import completed_by, names_servers
from app.embedded.programs import package_versions
from app.encryption import KEY_FILE, Vault
from app.errors import HubError
from app.settings import Secret, Settings, variable_name

OLDEST_REDIS = (6, 2)


def setting_lines(settings: Settings) -> list[tuple[str, str, str]]:
    """Each setting's variable, its value now (a secret only as "set"), and what it is for."""
    return [(variable_name(item.name), _shown(getattr(settings, item.name)), item.metadata["explanation"]) for item in fields(settings)]


def _shown(value: object) -> str:
    if isinstance(value, Secret):
        return "set"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "–"
    return "–" if value is None else str(value)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at everything; each finding comes as soon as it is known."""
    yield _master_key(settings)
    yield _public_url(settings)
    yield _mail(settings)
    if names_servers(settings):
        async for finding in _examine_servers(settings):
            yield finding
        return
    if left := _abandoned():
        yield left
    try:
        if not embedded.exists(settings.data_dir):
            yield _try_embedded()
            return
        servers = embedded.start_or_attach(settings.data_dir)
    except HubError as error:
        yield bad("Own servers", error.message)
        return
    with servers:
        running = "were started for this look" if servers.supervised_here else "run"
        yield good("Own servers", f"They {running} on {settings.data_dir}.")
        async for finding in _examine_servers(completed_by(settings, servers)):
            yield finding


async def _examine_servers(settings: Settings) -> AsyncIterator[Finding]:
    async for finding in check_database(str(settings.database_url)):
        yield finding
    yield await _redis(str(settings.redis_url))


def _abandoned() -> Finding | None:
    try:
        places = embedded.abandoned()
    except HubError:
        return None
    if not places:
        return None
    return attention("Own servers", f"The data directories of these were deleted, delete them too: {', '.join(map(str, places))}.")


def _try_embedded() -> Finding:
    """Start the hub's own servers for a moment on a directory of their own: the one proof that they can run here."""
    packages = ", ".join(f"{name} {version or 'missing'}" for name, version in package_versions().items())
    with tempfile.TemporaryDirectory(prefix="crosswalk-doctor-") as directory:
        data_dir = Path(directory) / "data"
        began = time.monotonic()
        try:
            embedded.start(data_dir).stop()
            embedded.erase(data_dir)
        except embedded.EmbeddedUnavailable as error:
            return bad("Own servers", f"{error.message} ({packages})")
    return good(
        "Own servers", f"They can run here: made, started and stopped in {time.monotonic() - began:.1f} s ({packages}). None run now."
    )


async def _redis(url: str) -> Finding:
    try:
        async with Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as redis:
            info = await redis.info()
            policy = info.get("maxmemory_policy", "noeviction")
    except (RedisError, OSError, ValueError) as error:
        return bad("Redis", f"It cannot be reached ({type(error).__name__}: {error}). Check CROSSWALK_REDIS_URL and that the server runs.")
    version = info.get("valkey_version") or info["redis_version"]
    if tuple(int(part) for part in info["redis_version"].split(".")[:2]) < OLDEST_REDIS:
        return bad("Redis", f"Version {version} is too old; the hub needs Redis 6.2 or later, or Valkey.")
    if policy != "noeviction":
        return attention("Redis", f"Version {version} answers, but may forget work: its maxmemory-policy is {policy}, not noeviction.")
    return good("Redis", f"Version {version} answers and forgets nothing by itself.")


def _master_key(settings: Settings) -> Finding:
    subject, keep = "Master key", "Losing it loses the stored credentials (they are entered again) and nothing else."
    path = settings.data_dir / KEY_FILE
    if not settings.master_key and not path.exists():
        return good(subject, f"None yet; the first start makes {path}. {keep}")
    try:
        Vault.load_or_make(settings)
    except (HubError, OSError) as error:
        return bad(subject, f"It cannot be used: {error}")
    if settings.master_key:
        return good(subject, f"It comes from the environment. {keep}")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return bad(subject, f"{path} has mode {mode:04o}, others can read it; run chmod 600 on it.")
    return good(subject, f"{path} is readable for its owner only; keep a copy elsewhere. {keep}")


def _public_url(settings: Settings) -> Finding:
    address = urlsplit(settings.public_url)
    if address.scheme == "https" or address.hostname in {"127.0.0.1", "localhost", "::1"}:
        return good("Public address", f"Links in mails lead to {settings.public_url}.")
    return attention("Public address", f"{settings.public_url} is not https; sign-in links and cookies travel readable.")


def _mail(settings: Settings) -> Finding:
    if settings.smtp_url:
        return good("Mail", f"It is sent as {settings.mail_from}.")
    return attention("Mail", "No CROSSWALK_SMTP_URL: mail, sign-in links included, is kept and shown in the console only.")
