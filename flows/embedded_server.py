"""Prefect's own server for the time of a command, started before Prefect is loaded here, so that both load at the same time.

Prefect would start the same one by itself, but only once it is loaded, would load the server's code here too, and would let every account
of the machine in: whoever reaches a server decides what its clients read. This one asks for a secret that is made anew for each command,
told to it through a pipe, and knows no other host than this one. Its socket is made here, so that nobody else can be at its address.
"""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from flows import environment
from tasks.errors import VeilError
from tasks.stores.settings import OWN_SERVER, server_is_chosen

_HOST = "127.0.0.1"
_LONGEST_START_SECONDS = 180.0
_LONGEST_END_SECONDS = 30.0
_AS_EMBEDDED = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
    "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "",  # no page of any site may read from it
}
_PRIVATE = 0o077


class ServerDidNotStart(VeilError):
    """Prefect's server came to an end, or to nothing."""


class EmbeddedServer:
    """Starts the server at once; Prefect, imported afterwards, finds it. Does nothing where the user has chosen a server.

    The server ends by itself when this process has ended, killed or not: until then Prefect has things to tell it.
    """

    def __init__(self) -> None:
        environment.prepare()
        self._process: subprocess.Popen[bytes] | None = None
        self._said = "it said nothing"
        if server_is_chosen():
            return
        secret = secrets.token_urlsafe(32)
        with socket.socket() as listener:
            listener.bind((_HOST, 0))
            self._port = int(listener.getsockname()[1])
            self._process = subprocess.Popen(
                # Nothing is imported from the folder it is called in.
                [sys.executable, "-P", "-m", "flows.embedded_server", str(listener.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[listener.fileno()],
                cwd=Path(__file__).parents[1],
                env=os.environ | _AS_EMBEDDED,
            )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already; `wait` says so
            self._process.stdin.write(f"{secret}\n".encode())
            self._process.stdin.flush()
        os.environ["PREFECT_API_AUTH_STRING"] = secret
        for name in ("NO_PROXY", "no_proxy"):
            os.environ[name] = ",".join(filter(None, [os.environ.get(name), _HOST]))
        os.environ[OWN_SERVER] = "1"
        os.environ["PREFECT_API_URL"] = f"http://{_HOST}:{self._port}/api"
        threading.Thread(target=self._listen, daemon=True).start()

    def wait(self) -> None:
        """Until a flow can be run. Raises ServerDidNotStart, also for a chosen server that is not there."""
        if self._process is None:
            _check_chosen()
        deadline = time.monotonic() + _LONGEST_START_SECONDS
        while self._process is not None and not answers(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                fix = "try again, or set PREFECT_API_URL to a running one"
                raise ServerDidNotStart("Prefect's server", f"did not start ({self._said})", fix=fix)
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the server, and waits until it has let go of its database. Does nothing where the user has chosen one."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(_LONGEST_END_SECONDS)

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said = line.decode(errors="replace").strip() or self._said


def answers(port: int) -> bool:
    """Whether a server is ready there."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _check_chosen() -> None:
    from prefect.settings import get_current_settings

    address = str(get_current_settings().api.url or "")
    if not address:  # a profile that is not the active one: Prefect brings its own
        return
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=20):
            return
    except urllib.error.HTTPError:
        return  # somebody is there; what it wants, Prefect will say
    except (OSError, ValueError) as error:
        fix = "start it, or unset PREFECT_API_URL to let the command bring its own"
        raise ServerDidNotStart(f"PREFECT_API_URL {address}", "no server answers there", fix=fix) from error


def _serve(listener: int) -> None:
    """Runs the server in this process, at a bound socket, until whoever started it is gone; its first line is the secret."""
    os.environ["PREFECT_SERVER_API_AUTH_STRING"] = sys.stdin.buffer.readline().decode().strip()
    os.umask(_PRIVATE)

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    import uvicorn
    from prefect.server.api.server import create_app
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from flows.local_database import local_database

    app = create_app()
    if database := local_database():  # one of an earlier time may be open to all
        for file in database.parent.glob(f"{database.name}*"):
            file.chmod(0o600)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[_HOST])
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[socket.socket(fileno=listener)])


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
