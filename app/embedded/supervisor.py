"""Starts the two servers under one lock, tells others how to attach, and stops them."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from app.embedded import postgres, valkey
from app.embedded.errors import AlreadySupervised, EmbeddedUnavailable, NotRunning
from app.embedded.home import ROOTS_PLACE, Home, home_of, link, prepare, socket_directory
from app.embedded.passwords import Passwords, read_or_make_passwords, read_passwords, write_private
from app.embedded.programs import Programs, copied_programs, installed_programs
from app.embedded.servers import Embedded, Running, end, running

READY_SECONDS = 60.0  # crash recovery and the loading of a large append-only file come before "ready"
STOP_SECONDS = 30.0
LOCK_SECONDS = 1.0  # somebody who erases or looks holds the lock for an instant
JOIN_SECONDS = 90.0


class RunningFile(msgspec.Struct):
    """What one who attaches must know beside the passwords."""

    sockets: str
    supervisor_pid: int


def start(data_dir: Path) -> Embedded:
    """See app.embedded.start."""
    with _explained():
        home = home_of(data_dir)
        prepare(home)
        lock = _take_lock(home)
        try:
            return _start_locked(home, lock)
        except BaseException:
            os.close(lock)
            raise


def attach(data_dir: Path) -> Embedded:
    """See app.embedded.attach."""
    with _explained():
        home = home_of(data_dir)
        try:
            found = msgspec.json.decode(home.running.read_bytes(), type=RunningFile)
            passwords = read_passwords(home.passwords)
        except FileNotFoundError:
            raise NotRunning(f"No servers run on {home.data_dir}.") from None
        sockets = Path(found.sockets)
        if not _both_answer(_programs(home), sockets, passwords):
            raise NotRunning(f"The servers of {home.data_dir} do not answer.")
        return _embedded(home, sockets, passwords)


def start_or_attach(data_dir: Path) -> Embedded:
    """See app.embedded.start_or_attach."""
    deadline = time.monotonic() + JOIN_SECONDS
    while True:
        with contextlib.suppress(NotRunning):
            return attach(data_dir)
        try:
            return start(data_dir)
        except AlreadySupervised:  # that process is still starting them, or stopping
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def erase(data_dir: Path) -> None:
    """See app.embedded.erase."""
    with _explained():
        home = home_of(data_dir)
        if not home.path.exists():
            return
        lock = _take_lock(home)
        try:
            postgres.end_left_postgres(home)
            valkey.end_left_valkey(home)
            shutil.rmtree(home.path)
            if home.link.is_symlink():
                home.link.unlink()
        finally:
            os.close(lock)


def _start_locked(home: Home, lock: int) -> Embedded:
    link(home)
    home.running.unlink(missing_ok=True)
    programs, passwords, sockets = _programs(home), read_or_make_passwords(home.passwords), socket_directory(home)
    started: list[Running] = []
    try:
        process = valkey.spawn_valkey(home, programs, sockets, passwords)
        started.append(running("Valkey", process, valkey.ENDS_BY, home.path / valkey.LOG))
        postgres.make_cluster(home, programs, passwords)
        process = postgres.spawn_postgres(home, programs, sockets)
        started.append(running("Postgres", process, postgres.ENDS_BY, home.path / postgres.LOG))
        _wait_until_ready(lambda: _both_answer(programs, sockets, passwords), started)
        postgres.make_roles(programs, sockets, passwords)
        write_private(home.running, msgspec.json.encode(RunningFile(str(sockets), os.getpid())))
    except BaseException:
        _end_all(started)
        raise
    return _embedded(home, sockets, passwords, started, lambda: _stop(home, started, lock))


def _stop(home: Home, started: list[Running], lock: int) -> None:
    home.running.unlink(missing_ok=True)
    _end_all(started)
    os.close(lock)


def _end_all(started: list[Running]) -> None:
    for server in reversed(started):
        end(server, seconds=STOP_SECONDS)


def _programs(home: Home) -> Programs:
    return installed_programs() if home.account is None else copied_programs(ROOTS_PLACE / "programs")


def _take_lock(home: Home) -> int:
    """The lock that makes a process the supervisor; it goes with the process. Raises AlreadySupervised."""
    lock = os.open(home.lock, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                raise AlreadySupervised(f"Another process already runs the servers of {home.data_dir}.") from None
        time.sleep(0.05)


def _both_answer(programs: Programs, sockets: Path, passwords: Passwords) -> bool:
    return valkey.valkey_answers(sockets, passwords) and postgres.postgres_answers(programs, sockets)


def _wait_until_ready(answers: Callable[[], bool], started: list[Running]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    pause = 0.01
    while not answers():
        for server in started:
            if server.process.poll() is not None:
                raise EmbeddedUnavailable(f"{server.name} did not start: {_last_words(server.log)}")
        if time.monotonic() > deadline:
            raise EmbeddedUnavailable(f"The servers did not get ready within {READY_SECONDS:.0f} s; see {started[0].log.parent}.")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def _last_words(log: Path) -> str:
    """The last line that names a fault, for a person; the whole story is in the file."""
    lines = log.read_text(errors="replace").splitlines()[-50:]
    faults = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "ERROR", "error", "Failed"))]
    return f"{(faults or lines or ['it said nothing'])[-1].strip()} ({log})"


def _embedded(
    home: Home, sockets: Path, passwords: Passwords, started: list[Running] | None = None, on_stop: Callable[[], None] | None = None
) -> Embedded:
    return Embedded(
        data_dir=home.data_dir,
        owner_url=postgres.database_url("crosswalk_owner", passwords.crosswalk_owner, sockets),
        app_url=postgres.database_url("crosswalk_app", passwords.crosswalk_app, sockets),
        redis_url=valkey.valkey_url(sockets, passwords),
        admin_url=postgres.database_url("postgres", passwords.postgres, sockets, "postgres"),
        processes=tuple(started or ()),
        on_stop=on_stop,
        on_restart=lambda: start(home.data_dir),
    )


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """A refusal of the operating system becomes a sentence that names the file."""
    try:
        yield
    except PermissionError as error:
        raise EmbeddedUnavailable(f"The hub's own servers may not use {error.filename or 'another user'}: {error.strerror}.") from error
