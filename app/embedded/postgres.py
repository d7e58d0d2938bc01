"""The embedded Postgres: made once, started in the foreground, with three roles and one database."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from app.embedded.errors import EmbeddedUnavailable
from app.embedded.home import Home, draft_directory
from app.embedded.leftovers import end_leftovers
from app.embedded.nameless import REFUSED, borrow_a_name
from app.embedded.passwords import Passwords
from app.embedded.privileges import run_tool, spawn_server
from app.embedded.programs import Programs
from app.embedded.roles import role_statements

ENDS_BY = signal.SIGINT  # Postgres' fast shutdown: sessions are cut, nothing is lost
LOG = "postgres.log"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "logging_collector": "off",
    "log_min_duration_statement": "1s",
}


def make_cluster(home: Home, programs: Programs, passwords: Passwords) -> None:
    """Run initdb unless there is a cluster; it gets its name when it is complete, so a killed start leaves none.

    Text is ordered by code point and case follows Unicode (the builtin provider), the same on every machine.
    """
    if home.cluster.exists():
        return
    draft = draft_directory(home)
    password_file = draft / "password"
    cluster = draft / "cluster"
    _write_for(home, password_file, passwords.postgres)
    options = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--no-instructions"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    before = borrow_a_name() if home.account is None else None
    made = run_tool([programs.postgres / "initdb", *options, *locale, "-D", cluster], account=home.account, cwd=draft, before=before)
    if made.returncode == REFUSED and before is not None:
        raise EmbeddedUnavailable(f"User {os.geteuid()} has no name in /etc/passwd, which Postgres needs to make its data directory.")
    if made.returncode != 0:
        raise EmbeddedUnavailable(f"Postgres could not make its data directory: {_last_line(made.stdout)}")
    _write_for(home, cluster / "pg_hba.conf", "local all all scram-sha-256\n")
    cluster.rename(home.cluster)
    shutil.rmtree(draft)


def spawn_postgres(home: Home, programs: Programs, sockets: Path) -> subprocess.Popen[str]:
    """Start the server; it is not ready yet when this returns."""
    end_left_postgres(home)
    for stale in sockets.glob(".s.PGSQL.*"):
        stale.unlink()
    settings = {**SETTINGS, "unix_socket_directories": str(sockets)}
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [str(programs.postgres / "postgres"), "-D", str(home.cluster), *options]
    return spawn_server(command, account=home.account, cwd=home.cluster, log=home.path / LOG, ends_by=ENDS_BY)


def end_left_postgres(home: Home) -> None:
    """Wait for the server of a supervisor that was killed; see app.embedded.leftovers."""
    end_leftovers(home.cluster, home.cluster / "postmaster.pid", ENDS_BY)


def postgres_answers(programs: Programs, sockets: Path) -> bool:
    """Whether a server on this socket accepts connections now."""
    return run_tool([programs.postgres / "pg_isready", "-q", "-h", sockets, "-U", "postgres"], account=None, cwd=sockets).returncode == 0


def make_roles(programs: Programs, sockets: Path, passwords: Passwords) -> None:
    """Make the database and its roles, or set them right; doing it again changes nothing."""
    options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(sockets), "-U", "postgres", "-d", "postgres"]
    statements = role_statements(owner_password=passwords.crosswalk_owner, app_password=passwords.crosswalk_app)
    psql = str(programs.postgres / "psql")
    done = run_tool([psql, *options], account=None, cwd=sockets, environment={"PGPASSWORD": passwords.postgres}, stdin=statements)
    if done.returncode != 0:
        raise EmbeddedUnavailable(f"Postgres did not make its roles: {_last_line(done.stdout)}")


def database_url(role: str, password: str, sockets: Path, database: str = "crosswalk") -> str:
    """What a client connects to; the path is plain, see `socket_directory`."""
    return f"postgresql://{role}:{password}@/{database}?host={sockets}"


def _write_for(home: Home, path: Path, text: str) -> None:
    """Write a file for the servers' account, without root ever opening a path that account could swap."""
    run_tool(["/bin/sh", "-c", 'cat > "$0"', path], account=home.account, cwd=path.parent, stdin=text)


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
