"""Who can reach the embedded servers, as which roles, from which directories and as which users."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app import embedded
from app.embedded.home import LONGEST_SOCKET_DIRECTORY, home_of
from tests.platform.conftest import NAMELESS_UID, Hold, needs_root


@pytest.fixture
def ordinary(tmp_path_factory):
    """A data directory below a directory that an ordinary user owns, and that user's id: one without a name."""
    home = tmp_path_factory.mktemp("ordinary")
    os.chown(home, NAMELESS_UID, NAMELESS_UID)
    for parent in home.parents:
        if parent.name.startswith(("pytest-", "popen-")):
            parent.chmod(0o755)
    yield home / "data"
    shutil.rmtree(home)


async def test_a_client_without_the_password_is_refused(fresh_dir):
    with embedded.start(fresh_dir) as servers:
        host = servers.app_url.split("host=")[1]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host=host, user="crosswalk_app", password="wrong", database="crosswalk")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host=host, user="postgres", password="wrong", database="postgres")
        async with Redis(unix_socket_path=f"{host}/valkey.sock") as redis:
            with pytest.raises(RedisError, match="Authentication required"):
                await redis.ping()


async def test_the_apps_role_owns_nothing_and_steps_into_the_system_role_only_when_it_says_so(fresh_dir):
    with embedded.start(fresh_dir) as servers:
        owner = await asyncpg.connect(servers.owner_url)
        await owner.execute("CREATE TABLE secret (); GRANT SELECT ON secret TO crosswalk_system")
        app = await asyncpg.connect(servers.app_url)
        role = await app.fetchrow("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert not any(role)

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("CREATE TABLE mine ()")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.fetch("SELECT FROM secret")
        await app.execute("SET ROLE crosswalk_system; SELECT FROM secret")

        assert await owner.fetchval("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'crosswalk'") == "crosswalk_owner"
        await owner.close()
        await app.close()


def test_passwords_and_logs_are_for_their_owner_only(fresh_dir):
    with embedded.start(fresh_dir) as servers:
        home = home_of(fresh_dir)
        files = [path for path in home.path.iterdir() if path.is_file()]

        assert {path.name for path in files} >= {"lock", "passwords.json", "running.json", "postgres.log", "valkey.log"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        password = servers.app_url.split(":")[2].split("@")[0]
        assert password not in repr(servers)
        assert not any(password in Path(f"/proc/{running.process.pid}/cmdline").read_text() for running in servers.processes)


@pytest.mark.parametrize("name", ["d" * 100, 'Ana, the client\'s "data" č', "x" * (LONGEST_SOCKET_DIRECTORY + 1)])
def test_a_long_or_unusual_path_is_no_obstacle(fresh_dir, name):
    path = fresh_dir / name
    try:
        with embedded.start(path) as servers:
            assert len(servers.redis_url.split("@")[1].split("?")[0]) <= 107
            assert embedded.attach(path).owner_url == servers.owner_url
    finally:
        embedded.erase(path)


@needs_root
def test_for_root_another_user_runs_the_servers_and_a_root_only_home_is_no_obstacle(fresh_dir):
    fresh_dir.parent.chmod(0o700)
    with embedded.start(fresh_dir) as servers:
        assert all(Path(f"/proc/{running.process.pid}").stat().st_uid != 0 for running in servers.processes)
        assert (fresh_dir / "servers").readlink().parent == Path("/var/lib/crosswalk")
    assert stat.S_IMODE(fresh_dir.parent.stat().st_mode) == 0o700


@needs_root
@pytest.mark.parametrize("uid", [65534, NAMELESS_UID])
def test_for_root_nobody_else_reaches_the_servers_files_not_even_nobody(fresh_dir, uid):
    with embedded.start(fresh_dir):
        home = home_of(fresh_dir)
        for path in (home.path, home.cluster, home.path / "run"):
            looked = subprocess.run(["ls", path], user=uid, group=uid, extra_groups=[], capture_output=True, text=True, cwd="/")
            assert "Permission denied" in looked.stderr


@needs_root
def test_an_ordinary_user_without_a_name_starts_attaches_and_restarts(ordinary, hold: Hold, reachable_programs):
    options = ["--as-uid", str(NAMELESS_UID), "--programs", str(reachable_programs)]
    for _ in range(2):
        holder = hold(ordinary, "--start", *options)
        assert "error" not in holder.said, holder.said
        assert all(Path(f"/proc/{pid}").stat().st_uid == NAMELESS_UID for pid in holder.said["pids"])

        assert hold(ordinary, *options).said["supervised_here"] is False
        holder.end()


@needs_root
def test_root_does_not_touch_the_servers_of_an_ordinary_user_nor_the_other_way_round(ordinary, hold: Hold, reachable_programs, fresh_dir):
    options = ["--as-uid", str(NAMELESS_UID), "--programs", str(reachable_programs)]
    hold(ordinary, "--start", *options).end()
    with pytest.raises(embedded.EmbeddedUnavailable, match=str(NAMELESS_UID)):
        embedded.start(ordinary)

    fresh_dir.parent.chmod(0o755)
    embedded.start(fresh_dir).stop()
    fresh_dir.chmod(0o755)
    assert "used by root" in str(hold(fresh_dir, *options).said["message"])


@needs_root
async def test_a_data_directory_that_was_deleted_and_made_anew_begins_empty_and_the_old_data_is_set_aside(fresh_dir):
    with embedded.start(fresh_dir) as servers:
        old = servers.owner_url
    home = home_of(fresh_dir)
    shutil.rmtree(fresh_dir)
    assert home.path in embedded.abandoned()

    with embedded.start(fresh_dir) as servers:
        assert servers.owner_url != old

    [aside] = home.path.parent.glob(f"{home.path.name}.left-*")
    assert (aside / "postgres" / "PG_VERSION").exists()
    assert aside in embedded.abandoned()
    shutil.rmtree(aside)


@needs_root
def test_root_follows_no_link_that_leads_elsewhere(fresh_dir, tmp_path):
    fresh_dir.mkdir()
    (fresh_dir / "servers").symlink_to(tmp_path)

    with pytest.raises(embedded.EmbeddedUnavailable, match="remove the link"):
        embedded.start(fresh_dir)

    (fresh_dir / "servers").unlink()
