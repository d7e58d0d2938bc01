"""Programs that tests run, and what is done where they are missing."""

import asyncio
import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
TYPESCRIPT = ROOT / "clients" / "typescript"
PATIENCE = 240
"""Seconds for one program; the first installation is most of it."""

_MISSING = ("could not install", "on the PATH")


async def run_script(name: str, *arguments: str | Path) -> str:
    """What a script of the checkout prints. Where it cannot install what it needs, the test is skipped with its sentence."""
    status, out, err = await _run(sys.executable, ROOT / "scripts" / name, *arguments, cwd=ROOT)
    last = err.strip().rpartition("\n")[2]
    if status != 0 and any(words in last for words in _MISSING):
        skip(last, err)
    assert status == 0, err
    return out


async def run_program(*command: str | Path, cwd: Path) -> str:
    """What a program prints; any failure is the test's."""
    status, out, err = await _run(*command, cwd=cwd)
    assert status == 0, out + err
    return out


def skip(sentence: str, details: str = "") -> NoReturn:
    """With CI=true what is missing is a failure, told with its details."""
    if os.environ.get("CI") == "true":
        pytest.fail(details or sentence)
    pytest.skip(sentence.replace("; its own words are above", ""))


async def _run(*command: str | Path, cwd: Path) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
