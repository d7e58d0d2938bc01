"""The embedded Valkey: an append-only file flushed each second, on a Unix socket, with a password."""

import contextlib
import signal
import socket
import subprocess
from pathlib import Path

from app.embedded.home import Home, private_directory
from app.embedded.leftovers import end_leftovers
from app.embedded.passwords import Passwords
from app.embedded.privileges import spawn_server
from app.embedded.programs import Programs

ENDS_BY = signal.SIGTERM
LOG = "valkey.log"
SOCKET = "valkey.sock"
ANSWER_SECONDS = 2.0

# Nothing is ever evicted: a full memory is an error that is seen, not work that silently vanished.
CONFIGURATION = """
port 0
unixsocket {socket}
unixsocketperm 600
requirepass {password}
dir "{directory}"
pidfile valkey.pid
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


def spawn_valkey(home: Home, programs: Programs, sockets: Path, passwords: Passwords) -> subprocess.Popen[str]:
    """Start the server; it is not ready yet when this returns. Its configuration, password included, goes by its standard input."""
    directory = private_directory(home, home.valkey_data)
    end_left_valkey(home)
    (sockets / SOCKET).unlink(missing_ok=True)
    configuration = CONFIGURATION.format(socket=sockets / SOCKET, password=passwords.valkey, directory=_quoted(directory))
    return spawn_server(
        [programs.valkey, "-"], account=home.account, cwd=directory, log=home.path / LOG, ends_by=ENDS_BY, stdin=configuration
    )


def end_left_valkey(home: Home) -> None:
    """Wait for the server of a supervisor that was killed; see app.embedded.leftovers."""
    end_leftovers(home.valkey_data, home.valkey_data / "valkey.pid", ENDS_BY)


def valkey_answers(sockets: Path, passwords: Passwords) -> bool:
    """Whether a server on this socket takes the password and answers a PING; one that still loads its file does not."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(str(sockets / SOCKET))
        connection.sendall(f"AUTH {passwords.valkey}\r\nPING\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < 2 and (received := connection.recv(256)):
            answer += received
        return answer == b"+OK\r\n+PONG\r\n"
    return False


def valkey_url(sockets: Path, passwords: Passwords) -> str:
    """What a client connects to; the path is plain, see `socket_directory`."""
    return f"unix://:{passwords.valkey}@{sockets / SOCKET}?db=0"


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
