"""A Python that has imported the gateway already, and forks a process for each that a test starts.

    process = READY.start("sitewarden", "run", "site.yaml", stdout=log, stderr=log)      # or FRESH.start(...)
    process.pid, process.poll(), process.kill(), process.wait(), process.stdin, process.stdout: as of subprocess.Popen

Most of a gateway's start is importing, and each test of a screen has a gateway of its own. What READY starts is a real
process: its own id, memory, threads and descriptors, `python -m MODULE` from its first line on; kill -9 kills it. It
differs in two things: its imports cost nothing, and a box in it hashes passwords with hardly any work (the same
algorithm at its smallest). Whatever says how soon a box is back, and all benches, start FRESH.

Theory of operation
    one server a test process, begun with the first start, ended with the test process
    request   one packet: JSON, and the descriptors of [status, stdin, stdout, stderr]
    status    a pipe: the child's id when it is forked, its exit status when it has ended

The server has one thread and opens nothing, so that a fork of it holds nothing of another test. Its environment and
folder are those of the request. A child that is alive when the test process has gone is killed.
"""

import array
import atexit
import contextlib
import dataclasses
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 60.0
MOST_BYTES = 1 << 17
PIPE = subprocess.PIPE
IMPORTED = (
    "sitewarden.__main__",
    "sitewarden.composition.box",
    "sitewarden.commissioning.options",
    "tests.fakes.libmodbus_server",
    "h11",
    "pydantic.v1",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.http.h11_impl",
)
"""What every child finds imported. The last ones are what a gateway's web server imports when it begins."""
ALSO: Mapping[str, tuple[str, ...]] = {"tests.fakes.camera_gateway": ("tests.fakes.eyes",)}
"""What the server imports besides when it is asked for this module for the first time."""
_NUMBER = struct.Struct("=i")
Stream = int | IO[Any] | None


class Process(Protocol):
    """What a test may do with a process; `subprocess.Popen` is one."""

    pid: int
    returncode: int | None
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def poll(self) -> int | None:
        """The exit status, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""

    def send_signal(self, sig: int) -> None:
        """Nothing when it has ended."""

    def kill(self) -> None:
        """kill -9."""


class Python(Protocol):
    """Starts `python -m MODULE ARGUMENTS` in the checkout. Streams are files, PIPE, or None for those of the test."""

    def start(
        self, module: str, *arguments: str, stdin: Stream = None, stdout: Stream = None, stderr: Stream = None
    ) -> Process:
        """Return at once."""


class FreshPython:
    """A new interpreter, as on a box."""

    def start(
        self, module: str, *arguments: str, stdin: Stream = None, stdout: Stream = None, stderr: Stream = None
    ) -> Process:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=stdout, stderr=stderr)


class ForkedProcess:
    """A child of the server. `returncode`: as of subprocess.Popen, minus the signal's number when one ended it."""

    def __init__(self, status: int) -> None:
        self._status = status
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        self._lock = threading.Lock()
        self.pid = self._number(STARTS_WITHIN_S)

    def poll(self) -> int | None:
        with contextlib.suppress(TimeoutError):
            self._end(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        try:
            return self._end(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0) from None

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _end(self, timeout: float | None) -> int:
        with self._lock:
            if self.returncode is None:
                self.returncode = os.waitstatus_to_exitcode(self._number(timeout))
                os.close(self._status)
            return self.returncode

    def _number(self, timeout: float | None) -> int:
        readable, _, _ = select.select([self._status], [], [], timeout)
        if not readable:
            raise TimeoutError
        told = os.read(self._status, _NUMBER.size)
        if len(told) < _NUMBER.size:
            raise RuntimeError("the server of ready processes has ended")
        return int(_NUMBER.unpack(told)[0])


class ReadyPython:
    """The server of this test process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._line: socket.socket
        self._server: subprocess.Popen[bytes]

    def start(
        self, module: str, *arguments: str, stdin: Stream = None, stdout: Stream = None, stderr: Stream = None
    ) -> Process:
        status, its_status = os.pipe()
        ours: list[IO[bytes] | None] = []
        passed, opened = [its_status], [its_status]
        for number, stream in enumerate((stdin, stdout, stderr)):
            if stream == PIPE:
                read, write = os.pipe()
                mine, its = (write, read) if number == 0 else (read, write)
                ours.append(os.fdopen(mine, "wb" if number == 0 else "rb"))
                opened.append(its)
            else:
                its = number if stream is None else stream if isinstance(stream, int) else stream.fileno()
                ours.append(None)
            passed.append(its)
        told = {"module": module, "arguments": arguments, "environment": dict(os.environ)}
        with self._lock:
            socket.send_fds(self._connected(), [json.dumps(told).encode()], passed)
        for descriptor in opened:
            os.close(descriptor)
        process = ForkedProcess(status)
        process.stdin, process.stdout, process.stderr = ours
        return process

    def _connected(self) -> socket.socket:
        """The line to the server, which is begun when this test process has none."""
        if self._owner != os.getpid():
            self._line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_BYTES)
            with its:
                command = [sys.executable, "-m", __name__, str(its.fileno())]
                self._server = subprocess.Popen(command, cwd=ROOT, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL)
            self._owner = os.getpid()
            atexit.register(self._end, self._owner)
        return self._line

    def _end(self, owner: int) -> None:
        """With the test process, so that its time counts as the tests'."""
        if owner == os.getpid():
            self._line.close()
            self._server.wait(STARTS_WITHIN_S)


FRESH: Python = FreshPython()
READY: Python = ReadyPython()


def run_ready(module: str, *arguments: str, within_s: float = 60.0) -> subprocess.CompletedProcess[bytes]:
    """To its end: its exit status and all that it said. Raises subprocess.TimeoutExpired, when it has been killed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = READY.start(module, *arguments, stdout=out, stderr=err)
        try:
            code = process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess([module, *arguments], code, out.read(), err.read())


class _Server:
    """One loop over the line and the children that end."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._status: dict[int, int] = {}
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> dict[str, Any] | None:
        """In the server: None when the test process has gone. In each child: the request that it is to be."""
        while True:
            readable, _, _ = select.select([self._line, self._woken], [], [])
            if self._woken in readable:
                os.read(self._woken, 4096)
                self._reap()
            if self._line in readable:
                packet, descriptors, _, _ = socket.recv_fds(self._line, MOST_BYTES, 4)
                if not packet:
                    self._kill_all()
                    return None
                request = json.loads(packet)
                _import(ALSO.get(request["module"], ()))
                if self._fork(descriptors) == 0:
                    return dict(request)

    def _fork(self, descriptors: "list[int] | array.array[int]") -> int:
        """The child's id; 0 in the child, which has the streams of the request and nothing else of the server."""
        status, *streams = descriptors
        gc.collect()
        gc.freeze()
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            for descriptor in (*descriptors, *self._status.values(), self._woken, self._wake):
                os.close(descriptor)
            self._line.close()
            gc.unfreeze()
            return 0
        for descriptor in streams:
            os.close(descriptor)
        self._status[child] = status
        os.write(status, _NUMBER.pack(child))
        return child

    def _reap(self) -> None:
        while self._status:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            self._tell(child, status)

    def _kill_all(self) -> None:
        for child in list(self._status):
            os.kill(child, signal.SIGKILL)
            self._tell(*os.waitpid(child, 0))

    def _tell(self, child: int, status: int) -> None:
        descriptor = self._status.pop(child)
        with contextlib.suppress(BrokenPipeError):
            os.write(descriptor, _NUMBER.pack(status))
        os.close(descriptor)


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        importlib.import_module(module)


def _read_shipped_files() -> None:
    """The files that a box reads at its start and keeps by their text: read once for all."""
    from gateway.settings import load
    from gateway.web import pages
    from screens.catalogue import Catalogue
    from screens.templating import FOLDER
    from sitewarden.composition.box import DRIVERS, UPLINKS
    from sitewarden.composition.kinds import KINDS
    from tests.fakes.screen_site import CRANES, PIT, write_site

    with tempfile.TemporaryDirectory() as folder:
        ports = {name: 1000 + number for number, name in enumerate((*CRANES, PIT))}
        load(write_site(Path(folder), ports, 8080), DRIVERS, UPLINKS, KINDS)
    Catalogue([FOLDER, pages.FOLDER])


def _hash_with_hardly_any_work() -> None:
    """A hash costs 0.2 s of processor time by design, and it takes eight until somebody of a test is logged in."""
    from argon2.profiles import RFC_9106_LOW_MEMORY

    from gateway.accounts import passwords

    quick = dataclasses.replace(RFC_9106_LOW_MEMORY, time_cost=1, memory_cost=8, parallelism=1)
    passwords.RFC_9106_LOW_MEMORY = quick  # type: ignore[attr-defined] # the name that its hashers are made of


def _become(request: Mapping[str, Any]) -> None:
    """`python -m MODULE ARGUMENTS`, here and now. Its end frees nothing of what was imported: that takes half a second,
    which the operating system needs not."""
    os.environ.clear()
    os.environ.update(request["environment"])
    module = str(request["module"])
    sys.argv = [module, *request["arguments"]]
    for name in (module, f"{module}.__main__"):
        if name in sys.modules and not hasattr(sys.modules[name], "__path__"):
            del sys.modules[name]
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = _exit_status(end)
    except BaseException:  # noqa: BLE001 - as the interpreter: told, then the end
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads, as the interpreter does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _exit_status(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    _import(IMPORTED)
    _read_shipped_files()
    _hash_with_hardly_any_work()
    with socket.socket(fileno=int(sys.argv[1])) as _line:
        _request = _Server(_line).run()
    if _request is not None:
        _become(_request)
