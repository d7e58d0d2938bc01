"""`crosswalk sync run`: starts a run and, if asked, watches it to its end."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from app.actors import Actor
from app.bootstrap import Hub
from app.commands.hub import operator_of, organization_for
from app.syncs.models import RunStatus, SyncRun

LOOK_SECONDS = 0.1
GOOD_ENDS = (RunStatus.COMPLETED, RunStatus.PARTIALLY_COMPLETED)


async def run(
    hub: Hub, slug: str | None, connection_id: UUID, *, streams: Sequence[str], mode: str, wait: bool, tell: Callable[[str], None]
) -> bool:
    """Start a run and tell its id; with `wait`, whether it completed, else whether it started."""
    actor = operator_of(await organization_for(hub, slug))
    started = await hub.syncs.start(actor, connection_id, streams=streams or None, mode=mode)
    tell(f"Sync run {started.id}")
    if not wait:
        return True
    with progress_bars() as progress:
        task = progress.add_task(", ".join(streams) or "everything", total=100, words="")
        ended = await watch(hub, actor, started, lambda seen: show(progress, task, seen))
    return ended.status in GOOD_ENDS


async def watch(hub: Hub, actor: Actor, run: SyncRun, look: Callable[[SyncRun], None]) -> SyncRun:
    """Look at the run until it has ended, or is as good as ended because it waits for something else."""
    while run.status.is_active:
        look(run)
        await asyncio.sleep(LOOK_SECONDS)
        run = await hub.syncs.run(actor, run.id)
    look(run)
    return run


def progress_bars(console: Console | None = None) -> Progress:
    """Bars that say what is being read, how far it is, and how many records came."""
    return Progress(
        TextColumn("  {task.description:<34}"),
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        console=console,
    )


def show(progress: Progress, task: TaskID, run: SyncRun) -> None:
    """Bring a bar up to date."""
    progress.update(task, completed=run.progress, words=words(run))


def words(run: SyncRun) -> str:
    """Counts in a few words, and the reason where a run did not complete."""
    counts = run.counts
    parts = [f"{counts.read:,} read", f"{counts.created:,} new", f"{counts.updated:,} changed", f"{counts.failed:,} failed"]
    said = ", ".join(part for part in parts if not part.startswith("0 ")) or "nothing new"
    return said if run.status in GOOD_ENDS or run.status.is_active else str(run.error_message or run.status)
