"""The hub's own servers start, keep what they were given, are shared, and end with their supervisor."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from app import embedded
from app.embedded.home import home_of
from app.embedded.leftovers import processes_in
from tests.platform.conftest import Hold, needs_linux


async def remember(owner_url: str, redis_url: str, value: str) -> None:
    connection = await asyncpg.connect(owner_url)
    await connection.execute("CREATE TABLE IF NOT EXISTS remembered (value text)")
    await connection.execute("INSERT INTO remembered VALUES ($1)", value)
    await connection.close()
    async with Redis.from_url(redis_url) as redis:
        await redis.rpush("remembered", value)


async def remembered(owner_url: str, redis_url: str) -> tuple[list[str], list[str]]:
    connection = await asyncpg.connect(owner_url)
    rows = [row["value"] for row in await connection.fetch("SELECT value FROM remembered ORDER BY value")]
    await connection.close()
    async with Redis.from_url(redis_url) as redis:
        values = [value.decode() for value in await redis.lrange("remembered", 0, -1)]
    return rows, values


def wait_until_nobody_works_in(data_dir: Path) -> None:
    home = home_of(data_dir)
    deadline = time.monotonic() + 20
    while processes_in(home.cluster) or processes_in(home.valkey_data):
        assert time.monotonic() < deadline, "a server outlived its supervisor"
        time.sleep(0.05)


async def test_what_was_written_is_there_after_a_restart(fresh_dir):
    for value in ("first č š ž", "second 🎉"):
        with embedded.start(fresh_dir) as servers:
            await remember(servers.owner_url, servers.redis_url, value)

    with embedded.start(fresh_dir) as servers:
        assert await remembered(servers.owner_url, servers.redis_url) == (["first č š ž", "second 🎉"],) * 2


def test_a_second_supervisor_of_a_data_directory_is_refused(fresh_dir):
    with embedded.start(fresh_dir), pytest.raises(embedded.AlreadySupervised) as refusal:
        embedded.start(fresh_dir)

    assert str(fresh_dir) in refusal.value.message


async def test_a_process_attaches_to_the_servers_of_another_and_leaves_them_running(fresh_dir, hold: Hold):
    holder = hold(fresh_dir, "--start")

    attached = embedded.attach(fresh_dir)
    assert attached.owner_url == holder.said["owner"]
    assert not attached.supervised_here
    attached.stop()

    await remember(str(holder.said["owner"]), str(holder.said["redis"]), "still here")


def test_attaching_where_nothing_runs_says_so(fresh_dir):
    with pytest.raises(embedded.NotRunning):
        embedded.attach(fresh_dir)

    embedded.start(fresh_dir).stop()
    with pytest.raises(embedded.NotRunning):
        embedded.attach(fresh_dir)


async def test_of_several_processes_that_begin_at_once_one_supervises_and_all_have_the_servers(fresh_dir, hold: Hold):
    holders = await asyncio.gather(*(asyncio.to_thread(hold, fresh_dir) for _ in range(3)))

    assert sorted(bool(holder.said["supervised_here"]) for holder in holders) == [False, False, True]
    assert len({str(holder.said["owner"]) for holder in holders}) == 1


@needs_linux
async def test_killing_the_supervisor_leaves_no_orphan_and_loses_nothing(fresh_dir, hold: Hold):
    holder = hold(fresh_dir, "--start")
    await remember(str(holder.said["owner"]), str(holder.said["redis"]), "kept")

    holder.process.kill()
    holder.process.wait()
    wait_until_nobody_works_in(fresh_dir)

    with embedded.start(fresh_dir) as servers:
        assert await remembered(servers.owner_url, servers.redis_url) == (["kept"],) * 2


@needs_linux
async def test_a_start_right_after_the_supervisor_was_killed_waits_for_its_servers_to_end(fresh_dir, hold: Hold):
    holder = hold(fresh_dir, "--start")
    await remember(str(holder.said["owner"]), str(holder.said["redis"]), "kept")

    holder.process.kill()
    with embedded.start(fresh_dir) as servers:
        assert await remembered(servers.owner_url, servers.redis_url) == (["kept"],) * 2


@needs_linux
async def test_servers_killed_together_with_their_supervisor_recover_at_the_next_start(fresh_dir, hold: Hold):
    holder = hold(fresh_dir, "--start")
    await remember(str(holder.said["owner"]), str(holder.said["redis"]), "kept")
    await asyncio.sleep(1.5)  # Valkey's append-only file is flushed once a second

    holder.process.send_signal(signal.SIGSTOP)
    for pid in holder.said["pids"]:
        os.kill(pid, signal.SIGKILL)
    holder.process.kill()

    with embedded.start(fresh_dir) as servers:
        assert await remembered(servers.owner_url, servers.redis_url) == (["kept"],) * 2


@needs_linux
def test_a_pid_file_that_names_a_living_stranger_does_not_stop_a_start(fresh_dir):
    embedded.start(fresh_dir).stop()
    cluster = home_of(fresh_dir).cluster
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n1700000000\n5432\n/nowhere\n\n  1 1\nready\n")

    embedded.start(fresh_dir).stop()


def test_a_start_that_was_killed_before_the_cluster_was_complete_begins_again(fresh_dir):
    embedded.start(fresh_dir).stop()
    home = home_of(fresh_dir)
    home.cluster.rename(home.path / "draft-killed")

    embedded.start(fresh_dir).stop()

    assert not list(home.path.glob("draft-*"))


def test_a_signal_for_the_terminals_process_group_does_not_reach_the_servers(fresh_dir):
    with embedded.start(fresh_dir) as servers:
        assert all(os.getpgid(running.process.pid) != os.getpgid(0) for running in servers.processes)


def test_a_server_that_ends_by_itself_is_noticed(fresh_dir):
    with embedded.start(fresh_dir) as servers:
        assert servers.died() is None

        valkey = next(running for running in servers.processes if running.name == "Valkey")
        valkey.process.kill()
        valkey.process.wait()

        assert "Valkey ended by itself" in str(servers.died())
        address = servers.redis_url
        servers.restart()
        assert servers.died() is None
        assert embedded.attach(fresh_dir).redis_url == address


def test_the_servers_are_refused_to_a_thread_because_they_would_end_with_it(fresh_dir):
    caught: list[BaseException] = []

    def start() -> None:
        try:
            embedded.start(fresh_dir)
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert "main thread" in str(caught[0])


def test_erasing_deletes_the_data_and_the_next_start_begins_empty(fresh_dir):
    first = embedded.start(fresh_dir)
    with pytest.raises(embedded.AlreadySupervised):
        embedded.erase(fresh_dir)
    first.stop()

    embedded.erase(fresh_dir)
    assert not home_of(fresh_dir).path.exists()

    with embedded.start(fresh_dir) as second:
        assert second.owner_url != first.owner_url
