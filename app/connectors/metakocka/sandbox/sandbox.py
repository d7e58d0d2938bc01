"""The parts of one running sandbox, held together."""

import asyncio
from collections import defaultdict

from app.connectors.sandbox_kit.clock import Clock
from app.connectors.sandbox_kit.control_answers import ControlError
from app.connectors.sandbox_kit.faults import Faults
from app.connectors.sandbox_kit.gate import Gate

from .company import Company
from .config import CHANGEABLE, SandboxConfig, changed_config
from .faults import Fault
from .ledger import Ledger
from .limits import Limits
from .webhooks import Webhooks


class Sandbox:
    """One imitation of Metakocka, with everything that a test may look at or turn."""

    def __init__(self, config: SandboxConfig) -> None:
        self._first_config = config
        self.clock = Clock()
        self.faults: Faults[Fault] = Faults()
        self.gate = Gate()
        self.ledger = Ledger()
        self.webhooks = Webhooks(self.wait)
        self.reset()

    def reset(self) -> None:
        """Back to how it started: settings, clock, records, nothing seen, no faults."""
        self.config = self._first_config
        self.clock.set(now=self.config.clock_now, scale=self.config.clock_scale, offset_seconds=self.config.clock_offset_seconds)
        self.limits = Limits(self.clock)
        self.faults.clear()
        self.faults.met.clear()
        self.gate.open()
        self.ledger.clear()
        self.webhooks.clear()
        self.companies = {one.company_id: Company(one, self) for one in self.config.companies}
        self._lanes: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def company_of(self, company_id: str | None) -> Company:
        """The company that a control request names, else the first. ControlError if there is none."""
        if company_id and company_id not in self.companies:
            raise ControlError(404, "There is no such company.")
        return self.companies[company_id] if company_id else next(iter(self.companies.values()))

    def search_lane(self, company_id: str, group: str) -> asyncio.Lock:
        """What lets the searches of a company pass one after another; groups of their own only on a server of its own."""
        return self._lanes[company_id, group if self.config.standalone else ""]

    async def wait(self, seconds: float) -> None:
        """Wait so many seconds of the sandbox's clock."""
        if real := self.clock.real_seconds(seconds):
            await asyncio.sleep(real)

    def settings(self) -> dict[str, object]:
        """The settings that can change, as they are now."""
        return {name: getattr(self.config, name) for name in sorted(CHANGEABLE)}

    def change_settings(self, changes: dict[str, object]) -> None:
        """Change some settings; ValueError for a wrong one."""
        self.config = changed_config(self.config, changes)
