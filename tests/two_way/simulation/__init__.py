"""A seeded world in which people work on both sides while workers crash, freeze and are rung twice and the provider misbehaves.

    world.py    two connections, their companies at the provider, and what people wrote
    steps.py    what may happen next
    trouble.py  where a worker dies or stands still
    oracle.py   what must be true in the end

Every edit writes a text that nobody wrote before. In the end each of these texts must be accounted for: it is there, or somebody who
saw it wrote over it or deleted it, or a conflict shows it. Nothing else may have happened to it.
"""

from collections import Counter
from collections.abc import Mapping

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.two_way.simulation import oracle, steps
from tests.two_way.simulation.trouble import Troubled
from tests.two_way.simulation.world import World


async def play(
    hub: Hub, operator: Actor, sandbox: RunningSandbox, seed: int, length: int, *, more: Mapping[str, int] | None = None
) -> tuple[list[str], Counter[str]]:
    """One schedule of so many steps: what is wrong in the end, and how often what happened. `more` makes some steps likelier."""
    await sandbox.reset()
    world = World(hub, operator, seed)
    try:
        await world.open(sandbox)
        with Troubled(world):
            for _ in range(length):
                await steps.step(world, more)
        await oracle.settle(world)
        wrong = await oracle.verdict(world)
    except Exception as error:  # whatever it is, the seed says how to see it again
        wrong = [f"{type(error).__name__}: {error}"]
    world.counts["steps"] += length
    world.counts.update({f"fault {kind}": count for kind, count in (await sandbox.counters())["faults"].items()})
    return [f"seed {seed}: {sentence}" for sentence in wrong], world.counts
