"""A gateway as its own process, with what the operating system says of it: CPU seconds, resident memory."""

import json
import os
import re
import signal
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.fakes.ready_python import FRESH, ROOT, Process, Python
from tests.fakes.waiting import wait_until

__all__ = ["ROOT", "GatewayProcess"]
STARTS_WITHIN_S = 90.0  # 1.5 on an idle machine
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class GatewayProcess:
    """`sitewarden run SITE`, pinned to one core where `core` is given; its log is `log` (default beside the site).

    With `python=READY` its imports cost nothing: for tests that do not say how soon it is there.
    """

    def __init__(self, site_file: Path, url: str, core: int | None = None, python: Python = FRESH) -> None:
        self.url = url
        self.log = site_file.with_name("gateway.log")
        self._core = core
        self._site_file = site_file
        self._python = python
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of what was started last."""
        assert self._process is not None
        return self._process.pid

    def start(self, wait: bool = True) -> None:
        """Start, and wait until the health check answers."""
        with self.log.open("ab") as log:
            self._process = self._spawn(log)
        if wait:
            wait_until(self._answers, f"gateway ready, see {self.log}", STARTS_WITHIN_S)
        if self._core is not None:
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {self._core})

    def _spawn(self, log: IO[bytes]) -> Process:
        command = ("sitewarden", "run", str(self._site_file), "--log-level", "INFO")
        return self._python.start(*command, stderr=log, stdout=log)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the gateway ended with {self._process.returncode}: {self.log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                return True
        except OSError:
            return False

    def get(self, path: str) -> Any:
        """A JSON answer of the API."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as reply:
            return json.loads(reply.read())

    def metric(self, name: str) -> float:
        """The sum of one metric over its labels."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as reply:
            text = reply.read().decode()
        values = re.findall(rf"^{name}(?:_total)?(?:{{[^}}]*}})? ([0-9.e+-]+)$", text, re.MULTILINE)
        return sum(float(value) for value in values)

    def cpu_s(self) -> float:
        """User and system time so far, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND

    def rss_mb(self, peak: bool = False) -> float:
        """Resident memory now, or its highest so far."""
        name = "VmHWM" if peak else "VmRSS"
        found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def kill(self) -> None:
        """kill -9, by the id that was started here."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """By the id that was started here."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """An orderly stop, of a stopped process too."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(timeout=30)
