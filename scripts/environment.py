"""Makes .venv in the checkout and installs the locked packages into it; does nothing if that is done already.

    python3 scripts/environment.py run-time | development

Only the standard library is at hand here. What goes wrong is one sentence on standard error and exit status 1.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PLACE = VENV / "made-at"
LOCKS = {"run-time": "requirements.lock", "development": "requirements-dev.lock"}

# What an installation depends on, beside the lock files: a change of any of them installs again.
ALSO = ("pyproject.toml", "hatch_build.py")

# Copied by the build; a checkout cleaned of ignored files has lost them.
BUILT = ("portal/static/vendor/htmx-4.min.js", "portal/static/vendor/hx-sse-4.min.js")


class CannotInstall(Exception):
    """What stands in the way, in one sentence."""


def main(kind: str) -> None:
    """Bring .venv up to date; of two that start at once, the second waits for the first."""
    if is_installed(kind):
        return
    if not os.access(ROOT, os.W_OK):
        raise CannotInstall(
            f"{ROOT} is not writable for you; the scripts keep their virtual environment there. Copy the checkout to a place of your own."
        )
    with alone():
        if not is_installed(kind):
            make_environment()
            install(kind)


def is_installed(kind: str) -> bool:
    """Whether this kind, or the larger one, was installed from the very files that lie here now."""
    kinds = LOCKS if kind == "run-time" else (kind,)
    return all((ROOT / path).exists() for path in BUILT) and any(_read(stamp(each)) == fingerprint(each) for each in kinds)


def make_environment() -> None:
    """Make .venv unless a working one is there."""
    if works():
        return
    try:
        import ensurepip  # noqa: F401  # only whether it is there
        import venv
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise CannotInstall(
            "This Python cannot make virtual environments: its modules venv and ensurepip are missing "
            f"(Debian and Ubuntu: apt install python{version}-venv)."
        ) from None
    say("Making the virtual environment .venv")
    try:
        venv.create(VENV, with_pip=True, clear=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotInstall(f"The virtual environment {VENV} could not be made: {error}.") from None
    PLACE.write_text(str(VENV))


def install(kind: str) -> None:
    """Install what the lock file names, hashes checked, and then the hub itself in editable form."""
    lock = ROOT / LOCKS[kind]
    packages = [line for line in lock.read_text().splitlines() if line[0] not in " #"]
    say(f"Installing the {len(packages)} packages of {lock.name}")
    pip("install", "--require-hashes", "--requirement", str(lock))
    say("Installing the hub")
    pip("install", "--no-deps", "--editable", str(ROOT))
    stamp(kind).write_text(fingerprint(kind))


def pip(*arguments: str) -> None:
    """Run pip quietly; what it says is shown only if it fails."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_INPUT": "1"}
    command = [str(PYTHON), "-m", "pip", "--quiet", *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise CannotInstall("pip could not install the packages; its own words are above.")


def works() -> str | None:
    """The version of the Python in .venv if that runs, is recent enough, has pip and was made at this place."""
    try:
        script = "import pip, sys; assert sys.version_info >= (3, 11); print(sys.version)"
        found = subprocess.run([str(PYTHON), "-c", script], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() if found.returncode == 0 and not was_moved() else None


def was_moved() -> bool:
    """Whether we made .venv at another place: the programs in it then name a Python that is not there."""
    return _read(PLACE) not in ("", str(VENV))


def fingerprint(kind: str) -> str:
    """Of everything that an installation is made from, the place and the Python included; of a broken one, no other's."""
    files = [*ALSO, *(LOCKS.values() if kind == "development" else [LOCKS[kind]])]
    parts = [(works() or "none").encode(), os.fsencode(ROOT), *((ROOT / name).read_bytes() for name in files)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def stamp(kind: str) -> Path:
    return VENV / f"installed-{kind}"


class alone:
    """Holds a lock on the checkout's directory, which goes with the process."""

    def __enter__(self) -> None:
        self.directory = os.open(ROOT, os.O_RDONLY)
        fcntl.flock(self.directory, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.directory)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except CannotInstall as reason:
        print(reason, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
