"""An office that works with a Metakocka that has hardly any records."""

from collections import Counter

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.two_way.office import Office


@pytest.fixture
async def office(hub: Hub, operator: Actor, metakocka: RunningSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What happened in all schedules of the simulation together."""
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            counts.update(
                dict(getattr(report, "user_properties", ())).get("simulated", {}) if getattr(report, "when", "") == "call" else {}
            )
    if counts:
        terminalreporter.write_line("simulated: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
