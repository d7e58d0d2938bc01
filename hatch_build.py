"""Copies htmx into the portal at build time, so that nothing of it is committed.

`django-htmx` carries the two files in its wheel; it is a build requirement only and Django is never installed
at run time.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = ("htmx-4.min.js", "ext/hx-sse-4.min.js")


class HtmxHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's hook is generic over its builder
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        spec = find_spec("django_htmx")
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError("The build needs the package django-htmx, which carries htmx.")
        source = Path(next(iter(spec.submodule_search_locations))) / "static" / "django_htmx"
        target = Path(self.root) / "portal" / "static" / "vendor"
        target.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(source / name, target / Path(name).name)
