"""What the demo says while it starts: a line for each step, with the time it took, and bars for the syncs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console

WIDTH = 20


@dataclass
class Step:
    """One step; `said` becomes the middle of its line."""

    name: str
    said: str = ""


@dataclass
class Steps:
    """Prints the steps on this console."""

    console: Console
    began: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Print the step's line when it is done; while it goes on a terminal shows that it does."""
        step, began = Step(name), time.monotonic()
        with self.console.status(name):
            yield step
        self.console.print(
            f"[green]✓[/green] {name:<{WIDTH}} {step.said:<52} {time.monotonic() - began:5.1f} s", highlight=False, soft_wrap=True
        )

    def say(self, text: str = "") -> None:
        """A line as it is."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return time.monotonic() - self.began
