"""`crosswalk sandbox PROVIDER`: hands over to the sandbox's own command line."""

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from app.errors import NotFound

CONNECTORS = Path(__file__).resolve().parents[1] / "connectors"


def run(provider: str, arguments: Sequence[str]) -> None:
    """Run the provider's sandbox in this process until a signal ends it."""
    if provider not in sandboxes():
        raise NotFound(f"There is no sandbox for {provider}; there is one for {', '.join(sandboxes())}.")
    sys.argv = [f"crosswalk sandbox {provider}", *arguments]
    runpy.run_module(f"app.connectors.{provider}.sandbox", run_name="__main__", alter_sys=False)


def sandboxes() -> list[str]:
    """The providers that have one: a folder `sandbox` that can be run."""
    return sorted(path.parents[1].name for path in CONNECTORS.glob("*/sandbox/__main__.py"))
