"""Starts worker processes for tests that kill or freeze them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.actors import Actor
from app.database import execute, transaction
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def environment(settings: Settings) -> dict[str, str]:
    """The settings of the tests' hub, for another process."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    return os.environ | {
        "CROSSWALK_DATABASE_URL": settings.database_url,
        "CROSSWALK_REDIS_URL": settings.redis_url,
        "CROSSWALK_DATA_DIR": str(settings.data_dir),
        "CROSSWALK_SANDBOXES": "true",
        "CROSSWALK_SANDBOX_URLS": ",".join(settings.sandbox_urls),
        "CROSSWALK_LOG_LEVEL": "error",
    }


def start_worker(settings: Settings, moment: str = "never") -> "subprocess.Popen[bytes]":
    """A worker that kills itself at the moment (tests/kill/worker.py)."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kill.worker", moment],
        cwd=ROOT,
        env=environment(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def running_worker(settings: Settings, moment: str = "never") -> Iterator["subprocess.Popen[bytes]"]:
    """A worker that works until the block ends."""
    process = start_worker(settings, moment)
    try:
        yield process
    finally:
        kill(process)


SHORT_LEASE = 12.0
"""Seconds, of workers that are going to be frozen."""


def freeze(process: "subprocess.Popen[bytes]") -> float:
    """SIGSTOP. Returns when, for `thaw`."""
    process.send_signal(signal.SIGSTOP)
    return time.monotonic()


async def thaw(process: "subprocess.Popen[bytes]", since: float) -> None:
    """SIGCONT, not before its leases have ended. Tests give them to others earlier, but its own clock tells it what it holds."""
    await asyncio.sleep(max(0.0, since + SHORT_LEASE + 0.5 - time.monotonic()))
    process.send_signal(signal.SIGCONT)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL, also for a frozen one; nothing happens to one that has ended."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait(30)


async def free_leases(actor: Actor) -> None:
    """A killed worker's leases end by themselves; nobody waits for that here. What a frozen one has locked, the server frees."""
    async with transaction(actor.scope):
        for table in ("sync_run", "delivery"):
            await execute(
                actor.scope,
                f"""
                UPDATE {table} SET lease_expires_at = least(lease_expires_at, now())
                WHERE id IN (SELECT id FROM {table} WHERE organization_id = $1
                             AND status IN ('queued', 'running', 'sending') FOR UPDATE SKIP LOCKED)
                """,
                actor.organization_id,
            )
