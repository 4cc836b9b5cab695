"""A real Mosquitto on a free loopback port, in a folder of its own.

    with Mosquitto() as broker:
        connect("127.0.0.1", broker.port)

`stop`, `kill` (SIGKILL) and `start` keep the port, so that a broker can go away and come back. Queues are unlimited
and 1,000 messages may be in flight, as `drivers/mqtt/README.md` asks of a site broker.
"""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.certificates import Certificates, make_certificates

START_DEADLINE_S = 10.0


_WORKERS = 16
_OFFERED = itertools.count(os.getpid() % 700)


def free_port() -> int:
    """A loopback TCP port that nobody listens on now, nor soon: none that the system gives to whoever asks for any, and
    each test worker has its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    while True:
        port = 20_000 + next(_OFFERED) % 750 * _WORKERS + worker
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def program(name: str, package: str) -> str:
    """The full path of a server program. Raises RuntimeError that names the Debian package when it is missing."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed; these tests need it: apt-get install {package}")
    return found


class Mosquitto:
    """One broker process. `users` asks for passwords, `mtls` for client certificates, `persistence` keeps queues."""

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        acl: Sequence[str] = (),
        mtls: bool = False,
        persistence: bool = False,
        max_inflight: int = 1000,
        extra: Sequence[str] = (),
    ) -> None:
        self._program = program("mosquitto", "mosquitto")
        self._folder = tempfile.TemporaryDirectory(prefix="mosquitto-")
        self.folder = Path(self._folder.name)
        self.certificates: Certificates | None = make_certificates(self.folder) if mtls else None
        self.port = free_port()
        self._options = [
            "user root" if os.geteuid() == 0 else "",
            f"persistence {'true' if persistence else 'false'}",
            f"persistence_location {self.folder}/",
            "autosave_interval 1",
            "max_queued_messages 0",
            f"max_inflight_messages {max_inflight}",
            "log_type all",
            f"log_dest file {self.folder / 'mosquitto.log'}",
            *self._access(users, acl),
            *self._tls(),
            *extra,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What the broker has logged so far."""
        path = self.folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for_log(self, text: str, count: int = 1, deadline_s: float = START_DEADLINE_S) -> None:
        """Block until the broker has logged `text` at least `count` times. Raises TimeoutError with its log."""
        assert self._process is not None, "the broker is down"
        deadline = time.monotonic() + deadline_s
        while self.log.count(text) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} is {self.log.count(text)} times in the log, not {count}:\n{self.log}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=0.01)

    def start(self) -> None:
        """Start and wait until it takes connections. Raises RuntimeError with its log when it does not."""
        assert self._process is None, "the broker runs already"
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join([f"listener {self.port} {self.host}", *self._options, ""]))
        self._process = subprocess.Popen(
            [self._program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """SIGTERM: a persistent broker saves its queues. Nothing happens when it is down already."""
        self._end(kill=False)

    def kill(self) -> None:
        """SIGKILL: what was not saved is gone."""
        self._end(kill=True)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _end(self, *, kill: bool) -> None:
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(timeout=START_DEADLINE_S)
        self._process = None

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline:
            try:
                process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                if self._takes_connections():
                    return
            else:
                break
        self._end(kill=True)
        raise RuntimeError(f"mosquitto did not start on port {self.port}:\n{self.log[-2000:]}")

    def _takes_connections(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _access(self, users: Mapping[str, str] | None, acl: Sequence[str]) -> list[str]:
        lines = ["allow_anonymous true"]
        if users is not None:
            path = self.folder / "passwords"
            path.touch(mode=0o600)
            for user, password in users.items():
                tool = program("mosquitto_passwd", "mosquitto")
                subprocess.run([tool, "-b", str(path), user, password], check=True, capture_output=True)
            lines = ["allow_anonymous false", f"password_file {path}"]
        if acl:
            path = self.folder / "acl"
            path.write_text("\n".join([*acl, ""]))
            path.chmod(0o600)
            lines.append(f"acl_file {path}")
        return lines

    def _tls(self) -> list[str]:
        if self.certificates is None:
            return []
        return [
            f"cafile {self.certificates.ca_file}",
            f"certfile {self.certificates.server.cert_file}",
            f"keyfile {self.certificates.server.key_file}",
            "require_certificate true",
        ]
