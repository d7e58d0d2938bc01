"""Waits for an address to answer, and for something to be seen."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TypeVar

from app.commands.processes import Child
from app.demo.settings import DemoRefused

LOOK_SECONDS = 0.05
ANSWER_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.2

T = TypeVar("T")


def wait_until_it_answers(url: str, child: Child, *, seconds: float) -> None:
    """Return when the URL answers 200. Raises DemoRefused if its process ended or the time is over."""
    deadline = time.monotonic() + seconds
    while not _answers(url):
        if (status := child.ended()) is not None:
            raise DemoRefused(f"{child.name} ended while it started (status {status}): {_last_line(child)} ({child.log})")
        if time.monotonic() > deadline:
            raise DemoRefused(f"{child.name} did not answer at {url} within {seconds:.0f} s.")
        time.sleep(LOOK_SECONDS)


def wait_for(look: Callable[[], T | None], otherwise: str) -> T:
    """What `look` finds at last. Raises DemoRefused with the words `otherwise` when it found nothing for a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise DemoRefused(f"{otherwise} within {PATIENCE_SECONDS:.0f} s.")
        time.sleep(LOOK_AGAIN_SECONDS)
    return found


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _last_line(child: Child) -> str:
    lines = child.log.read_text(errors="replace").split("\n") if child.log else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
