"""The parts of one running sandbox, held together."""

from app.connectors.sandbox_kit.faults import Faults
from app.connectors.sandbox_kit.gate import Gate

from .clock import Clock
from .config import CHANGEABLE, SandboxConfig, SeedKind, changed_config
from .faults import Fault
from .ledger import Ledger
from .limits import Limits
from .seed import Summary, seed
from .store import Store


class Sandbox:
    """One imitation of ServiceM8, with everything that a test may look at or turn."""

    def __init__(self, config: SandboxConfig) -> None:
        self._first_config = config
        self.clock = Clock()
        self.store = Store(config.accounts, self.clock)
        self.faults: Faults[Fault] = Faults()
        self.gate = Gate()
        self.ledger = Ledger()
        self.reset()

    def reset(self) -> None:
        """Back to how it started: settings, clock, records (seeded again), nothing seen, no faults."""
        self.config = self._first_config
        self.clock.set(now=self.config.clock_now, scale=self.config.clock_scale, offset_seconds=self.config.clock_offset_seconds)
        self.limits = Limits()
        self.faults.clear()
        self.gate.open()
        self.ledger.clear()
        self.store.clear()
        self.seeded: list[Summary] = []
        self.seed(self.config.seed, self.config.seed_count)

    def seed(self, kind: SeedKind, count: int) -> Summary:
        """Add records; what was made is kept in `seeded`."""
        summary = seed(self.store, kind, count)
        if summary:
            self.seeded.append(summary)
        return summary

    def settings(self) -> dict[str, object]:
        """The settings that can change, as they are now."""
        return {name: getattr(self.config, name) for name in sorted(CHANGEABLE)}

    def change_settings(self, changes: dict[str, object]) -> None:
        """Change some settings; ValueError for a wrong one."""
        self.config = changed_config(self.config, changes)
