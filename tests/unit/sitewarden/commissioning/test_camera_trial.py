"""Checks on people are tried out both ways before they are believed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest
import yaml

from gateway.line.arming import read_arming
from gateway.ports import BoundDevice
from gateway.settings import config_root
from kit.clock import SimulatedClock
from sitewarden.commissioning.camera_trial import ASK, CameraTrials
from sitewarden.commissioning.findings import CameraFinding, CheckOutcome, CheckTrial, Commissioning
from sitewarden.commissioning.operator import Operator
from sitewarden.commissioning.sealing import keep_sheet
from sitewarden.commissioning.sheet import CHECKS, sheet_html
from tests.unit.sitewarden.commissioning.test_sealing import FOUND
from vision.eye.settings import CameraDeviceSettings, CameraTable
from vision.picture.finding import ON_REQUEST

TABLE = CameraTable.model_validate(
    yaml.safe_load((config_root() / "devices" / "site-camera.yaml").read_text(encoding="utf-8"))
)
SEEN, CLEAR = 1.0, 0.0


class Striding(SimulatedClock):
    """A clock whose sleepers have slept at once."""

    async def sleep(self, seconds: float) -> None:
        await self.advance(seconds)


class Stage:
    """A camera whose eye sees what the operator's hands have done: `does` maps an answered key to values."""

    def __init__(self, usable: float = 1.0) -> None:
        self.values: dict[str, dict[str, float]] = {"eye": {"usable": usable}}
        self.hooks: list[tuple[float, float]] = []
        self.spot: tuple[float, float] | None = None

    def says(self, check: str, value: float) -> None:
        self.values["eye"] |= {f"{check}_1": value, f"{check}_2": CLEAR}

    def put_hook(self, cranes: Sequence[str], x_m: float, y_m: float) -> None:
        self.hooks.append((x_m, y_m))
        if self.spot is not None:
            self.says("under_hook", SEEN if self.spot == (x_m, y_m) else CLEAR)


class Hands:
    """Answers by the end of the key; an answer may do something on the stage first."""

    def __init__(self, **do: Callable[[], object] | str) -> None:
        self._do = do

    def answer(self, key: str, question: str) -> str:
        done = self._do.get(key.rsplit(".", 1)[-1], "skip")
        if isinstance(done, str):
            return done
        done()
        return "done"


async def tried(stage: Stage, hands: Hands, *checks: str, before: Sequence[str] = ()) -> CameraFinding:
    asked = {"id": "eye", "link": "cam", "asset": "cam-1", "table": "site-camera", "checks": checks}
    settings = CameraDeviceSettings.model_validate(asked | {"hook_cranes": ["crane-1"], "hook_radius_m": 5})
    table = TABLE.for_device(settings)
    device = BoundDevice(settings, table, (), np.arange(len(table.points), dtype=np.int32))
    trials = CameraTrials(Operator(hands), Striding(), 5.0, lambda line: None)
    return await trials.of(device, stage, before)  # type: ignore[arg-type]


async def outcome(stage: Stage, hands: Hands, check: str) -> CheckOutcome:
    return (await tried(stage, hands, check)).trials[0].outcome


async def test_what_was_seen_and_seen_to_end_is_confirmed() -> None:
    stage = Stage()
    hands = Hands(
        in_danger_zone=lambda: stage.says("in_danger_zone", SEEN),
        in_danger_zone_ends=lambda: stage.says("in_danger_zone", CLEAR),
    )
    finding = await tried(stage, hands, "in_danger_zone")
    assert (finding.confirmed, finding.sound) == (("in_danger_zone",), True)


@pytest.mark.parametrize(
    ("there", "after", "expected"),
    [
        (CLEAR, CLEAR, CheckOutcome.NOT_SEEN),
        (nan, CLEAR, CheckOutcome.NOT_SEEN),
        (SEEN, SEEN, CheckOutcome.NOT_CLEARED),
        (SEEN, nan, CheckOutcome.NOT_CLEARED),
    ],
    ids=["never seen", "unknown", "does not end", "unknown at last"],
)
async def test_anything_else_is_not(there: float, after: float, expected: CheckOutcome) -> None:
    stage = Stage()
    hands = Hands(
        person_down=lambda: stage.says("person_down", there),
        person_down_ends=lambda: stage.says("person_down", after),
    )
    finding = await tried(stage, hands, "person_down", before=["person_down"])
    assert (finding.trials[0].outcome, finding.confirmed) == (expected, ())


async def test_without_a_usable_picture_nothing_is_asked() -> None:
    assert await outcome(Stage(usable=0.0), Hands(), "in_danger_zone") is CheckOutcome.BLIND


async def test_under_the_hook_is_proven_by_a_spot_with_known_coordinates() -> None:
    stage = Stage()
    stage.spot = (-12.5, 40.0)
    hands = Hands(under_hook_spot="-12.5, 40", under_hook=lambda: None, under_hook_ends=lambda: None)
    assert await outcome(stage, hands, "under_hook") is CheckOutcome.CONFIRMED
    assert stage.hooks[0] == (-12.5, 40.0)
    assert stage.hooks[-1] != (-12.5, 40.0)
    for no_place in ("north of it", "1", "nan, 4"):
        hands = Hands(under_hook_spot=no_place, under_hook=lambda: None, under_hook_ends=lambda: None)
        assert await outcome(stage, hands, "under_hook") is CheckOutcome.SKIPPED


async def test_what_is_skipped_stays_as_it_was() -> None:
    finding = await tried(Stage(), Hands(), "in_danger_zone", "person_down", before=["person_down"])
    assert finding.confirmed == ("person_down",)
    assert not finding.sound


def test_every_check_has_its_questions_and_its_line_on_the_sheet() -> None:
    assert set(ASK) == set(CHECKS) == set(ON_REQUEST)


def test_the_sheet_and_the_arming_say_which_checks_are_on(tmp_path: Path) -> None:
    trials = (
        CheckTrial("in_danger_zone", CheckOutcome.CONFIRMED),
        CheckTrial("person_down", CheckOutcome.NOT_SEEN),
    )
    camera = CameraFinding("cam-1", "eye", trials, ("in_danger_zone",))
    found: Commissioning = replace(FOUND, cameras=(camera,))
    page = sheet_html(found)
    assert "人员进入危险区" in page.decode()
    assert "未启用 / OFF" in page.decode()
    keep_sheet(tmp_path, found, page, None)
    assert read_arming(tmp_path, ()).assets["cam-1"].checks == ("in_danger_zone",)
    assert not found.sound
