"""Generates the typed clients: python3 scripts/clients.py [typescript] [python]; both without a name.

Only the standard library is at hand here. What goes wrong is one sentence on standard error and exit status 1.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

import node_packages
from environment import CannotInstall, say

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
TYPESCRIPT = CLIENTS / "typescript"
PYTHON = CLIENTS / "python"


def main(names: list[str]) -> None:
    makers = {"typescript": make_typescript, "python": make_python}
    if unknown := set(names) - set(makers):
        raise CannotInstall(f"There is no client named {', '.join(sorted(unknown))}; there are {' and '.join(makers)}.")
    for name in names or makers:
        makers[name]()


def make_typescript() -> None:
    node_packages.install(TYPESCRIPT)
    run("node", "generate.mjs", cwd=TYPESCRIPT)
    print("clients/typescript/src/operations.ts")


def make_python() -> None:
    """With a generator in a virtual environment of its own: it wants another graphql-core than the hub."""
    with open(PYTHON / "requirements.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_generator(hashlib.sha256(lock.read() + os.fsencode(PYTHON) + sys.version.encode()).hexdigest())
        run(str(PYTHON / ".venv" / "bin" / "ariadne-codegen"), "client", cwd=PYTHON)
    print("clients/python/crosswalk_client")


def install_generator(fingerprint: str) -> None:
    """What requirements.lock names, hashes checked; nothing if that is done already."""
    stamp = PYTHON / ".venv" / "installed"
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    say("Installing the generator of the Python client")
    venv.create(PYTHON / ".venv", with_pip=True, clear=True, symlinks=True)
    pip = (str(PYTHON / ".venv" / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check")
    sentence = "pip could not install the generator; its own words are above."
    run(*pip, "install", "--require-hashes", "--requirement", "requirements.lock", cwd=PYTHON, sentence=sentence)
    stamp.write_text(fingerprint)


def run(*command: str, cwd: Path, sentence: str = "The generator did not succeed; its own words are above.") -> None:
    """Quietly; what it says is shown only if it fails, with the sentence."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise CannotInstall(sentence)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CannotInstall as reason:
        print(reason, file=sys.stderr)
        sys.exit(1)
