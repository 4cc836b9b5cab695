"""The site of the windy afternoon, whose time can be held still: for pictures of its screens.

    with StoryBox(folder) as box:          # calm: nothing has happened, and nothing moves
        box.go_on_to(31)                   # an overload has come and gone, a crane climbs, a gust blows; still again

Twins, regulator and gateway are processes of their own, ended by their ids. In: seconds of the story. Out: a box.
"""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from contract.canonical import Canonical
from contract.client import BoxClient
from drivers.sim.afternoon import PERIOD_S
from drivers.sim.survey import surveyors_table
from gateway.accounts.token_desk import make_token
from gateway.accounts.tokens import TokenScope, Wanted
from gateway.settings import config_root
from tests.fakes.gateway_process import ROOT
from tests.fakes.mosquitto import free_port
from tests.fakes.regulator_process import regulator_process
from tests.fakes.screen_box import CameraProcess
from tests.fakes.waiting import wait_until

TWINS = ("crane-1", "crane-2", "crane-3", "pit-1", "bus-1", "mast-1")
FOR_GOOD_S = 7200.0
CALM_S = 5.0


class StoryBox:
    """The box. `with` starts everything, at the story's first moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.gateway = CameraProcess(folder / "site.yaml", f"http://127.0.0.1:{self._port}")

    @property
    def url(self) -> str:
        """Of the web face, without a slash at its end."""
        return self.gateway.url

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            regulator = stack.enter_context(regulator_process(self._folder, "demo-box", "DEMO-0001"))
            ready = self._start_twins(stack)
            self._write_site(ready, regulator.url)
            stack.callback(self.gateway.stop)
            self.gateway.start()
            wanted = Wanted("pictures", [TokenScope.READ, TokenScope.READINGS, TokenScope.COMMAND])
            self._token = make_token(self._folder / "box", wanted, time.time_ns(), lambda _draft: None).secret
            self._ending = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.close()

    def _start_twins(self, stack: ExitStack) -> dict[str, Any]:
        arguments = ["--folder", str(self._folder), "--crane-ports", "0,0", "--pit-port", "0", "--broker-port", "0"]
        command = [sys.executable, "-m", "drivers.sim", *arguments, "--story", "--bus-port", "0", "--control-stdin"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._twins = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
        stack.callback(self._end_twins)
        ready: dict[str, Any] = json.loads(self._answer())
        self._began = time.monotonic()
        self.hold()
        return ready

    def _end_twins(self) -> None:
        self._twins.terminate()
        self._twins.communicate(timeout=20)

    def hold(self) -> None:
        """From now on every device says what it said last."""
        self._order(FOR_GOOD_S)

    def go_on_to(self, story_s: float) -> None:
        """Let the story be told from its calm beginning, and hold it so many seconds after."""
        self._wait_for(CALM_S)
        self._order(0.1)
        self._wait_for(story_s)
        self.hold()

    def bring_survey(self) -> None:
        """The surveyor's table of the last weeks, as a person brings it."""
        asked = {"user": "survey", "reason": "weekly survey", "name": "survey.csv"}
        table = surveyors_table(time.time_ns()).encode()
        self.post("/api/pits/pit-1/readings", table, "text/csv", asked)

    def alarms(self) -> list[dict[str, Any]]:
        """What is open."""
        with BoxClient(self.url, self._token) as client:
            found: list[dict[str, Any]] = client.ask("GET", "/api/alarms")["alarms"]
        return found

    def command(self, alarm_id: str, command: str, **said: Canonical) -> None:
        """What a script may tell the box about an alarm."""
        self.post(f"/api/alarms/{alarm_id}/{command}", json.dumps({"user": "zhu", **said}).encode(), "application/json")

    def post(self, path: str, content: bytes, kind: str, asked: dict[str, str] | None = None) -> None:
        """As a program with a token. Raises httpx.HTTPStatusError when it is refused."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": kind}
        httpx.post(self.url + path, content=content, params=asked, headers=headers, timeout=60).raise_for_status()

    def _wait_for(self, story_s: float) -> None:
        wait_until(lambda: abs(self._story_s() - story_s) < 0.5, f"second {story_s} of the story", 2 * PERIOD_S)

    def _story_s(self) -> float:
        return (time.monotonic() - self._began) % PERIOD_S

    def _order(self, for_s: float) -> None:
        assert self._twins.stdin is not None
        for twin in TWINS:
            self._twins.stdin.write(json.dumps({"twin": twin, "fault": "freeze", "for_s": for_s}) + "\n")
            self._twins.stdin.flush()
            answer = json.loads(self._answer())
            assert "taken" in answer, answer

    def _answer(self) -> str:
        assert self._twins.stdout is not None
        return self._twins.stdout.readline()

    def _write_site(self, ready: dict[str, Any], regulator_url: str) -> None:
        site = yaml.safe_load((config_root() / "sites" / "afternoon.yaml").read_text(encoding="utf-8"))
        _leave_out(site, "cam-1")  # a picture of the screens holds still; this camera's scene does not
        ports = [*ready["crane_ports"], ready["pit_port"], ready["bus_port"], ready["broker_port"]]
        for link, port in zip(site["links"], ports, strict=True):
            link["port"] = port
        site["storage"]["folder"] = str(self._folder / "box")
        site["uplinks"][0] |= {"url": regulator_url, "enrol_code": {"file": str(self._folder / "code")}}
        site["uplinks"][1]["port"] = ready["broker_port"]
        site["web"] = {"host": "127.0.0.1", "port": self._port, "second_factor_for": []}
        path = self._folder / "site.yaml"
        path.write_text(yaml.safe_dump(site, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _leave_out(site: dict[str, Any], camera: str) -> None:
    site["assets"] = [asset for asset in site["assets"] if asset["id"] != camera]
    site["links"] = [link for link in site["links"] if link["id"] != camera]
    site["devices"] = [device for device in site["devices"] if device["link"] != camera]
