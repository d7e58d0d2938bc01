"""The worker process: two lanes of arq and the sweeper on one event loop.

Decisions have a lane of their own, so that no bulk sync ever stands before them. Jobs only carry ids; losing one loses
nothing, and running one twice does no harm.
"""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from typing import Any

import structlog
from arq.worker import Worker
from redis.exceptions import RedisError

from app.bootstrap import Hub
from app.queue import BULK_QUEUE, DECISIONS_QUEUE, deserialize, serialize
from app.settings import Settings
from jobs.decisions import deliver, send_mail
from jobs.schedule import sweep_forever, tidy_forever
from jobs.syncs import advance_run, push_record, release_deletions

JOB_SECONDS = 120
"""No job takes longer: a sync run is advanced in slices, a delivery has its provider's time-outs."""
FINISH_SECONDS = 10
"""How long deliveries may finish after SIGTERM; sync runs hand over at their last page at once."""

logger = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Hub(settings) as hub:
        await work(hub, stop)


async def work(hub: Hub, stop: asyncio.Event) -> None:
    """Run both lanes, the sweeper and the hourly tidying until `stop` is set, then finish or hand over what is in hand."""
    lanes = [
        asyncio.create_task(_lane(hub, DECISIONS_QUEUE, (deliver, send_mail), hub.settings.worker_decision_slots)),
        asyncio.create_task(_lane(hub, BULK_QUEUE, (advance_run, push_record, release_deletions), hub.settings.worker_bulk_slots)),
        asyncio.create_task(sweep_forever(hub)),
        asyncio.create_task(tidy_forever()),
    ]
    logger.info("worker started")
    await stop.wait()
    for lane in lanes:
        lane.cancel()
    await asyncio.gather(*lanes, return_exceptions=True)
    logger.info("worker stopped")


async def _lane(hub: Hub, queue: str, functions: Sequence[Any], slots: int) -> None:
    """One queue's worker; when Redis was away for longer than its retries, a new one."""
    while True:
        worker = _worker(hub, queue, functions, slots)
        try:
            await worker.async_run()
        except asyncio.CancelledError:
            await _stop(worker, patient=queue == DECISIONS_QUEUE)
            raise
        except (RedisError, OSError) as error:
            logger.warning("redis is away", queue=queue, error=str(error))
            await _stop(worker, patient=False)
            await asyncio.sleep(1)


def _worker(hub: Hub, queue: str, functions: Sequence[Any], slots: int) -> Worker:
    return Worker(
        functions=functions,
        queue_name=queue,
        redis_pool=hub.redis,
        handle_signals=False,
        max_jobs=slots,
        job_timeout=JOB_SECONDS,
        keep_result=0,
        poll_delay=0.05,
        health_check_interval=10,
        ctx={"hub": hub},
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
    )


async def _stop(worker: Worker, *, patient: bool) -> None:
    """Let running jobs finish for a while (patient) or tell them to hand over."""
    worker.allow_pick_jobs = False
    running = [task for task in worker.tasks.values() if not task.done()]
    if running and patient:
        await asyncio.wait(running, timeout=FINISH_SECONDS)
    for task in running:
        task.cancel()
    with contextlib.suppress(Exception):
        await asyncio.gather(*running, return_exceptions=True)
