"""Every rule case in tests/cases/rules (README there): series in, alarms out, on simulated time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from gateway.alarms import AlarmTable
from gateway.model.alarm import Transition, TransitionKind
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.model.rule import RuleFamily
from gateway.model.verdict import Truth, Verdicts
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import Settings
from tests.unit.gateway.settings.kinds import load_site

FOLDER = Path(__file__).parent / "rules"
START_NS = 1_700_000_000_000_000_000
TICK_S = 0.25
ANSWERED = RawBlock(payload=b"case")
Case = dict[str, Any]
Samples = dict[float, dict[str, tuple[float, Quality]]]


def _cases() -> dict[str, Case]:
    found = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            found[f"{path.stem}: {case['case']}"] = case
    return found


CASES = _cases()
_MEANT = {"severity": "P2", "reportable": False, "title_zh": "规则", "title_en": "Rule", "kind": "other"}
_SOURCE = {"limit_source": "product_default", "clause": "product default", "certainty": "PD"}


def settings_of(case: Case, folder: Path) -> Settings:
    """The case as a site of its own, loaded as any site is."""
    rule = {"id": "case.rule", **_MEANT, **_SOURCE, **case["rule"]}
    told = {point["key"]: point for point in case.get("points", [])}
    keys = dict.fromkeys([*told, *(each["point"] for each in case["series"] if "point" in each)])
    points = [
        {"title_zh": "测点", "title_en": "Point", "path": f"$.{key}", **told.get(key, {"key": key})} for key in keys
    ]
    titles = {"title_zh": "案例", "title_en": "Case"}
    described = {**titles, "source": "case", "certainty": "PD"}
    table = {"version": 1, "model": "case", "driver": "mqtt", "payload": "json", **described, "points": points}
    link = {"id": "broker", "driver": "mqtt", "host": "127.0.0.1", "port": 1883}
    device = {"id": "device", "link": "broker", "asset": "a", "table": "case", "topic": "case"}
    if rule["family"] == "loss":  # only devices that are asked have such rules
        registers = [{"function": 3, "address": 2 * i, "type": "float32"} for i in range(len(points))]
        table["points"] = [_without_path(each) | at for each, at in zip(points, registers, strict=True)]
        table = {key: value for key, value in table.items() if key != "payload"} | {"driver": "modbus-tcp"}
        link = {"id": "broker", "driver": "modbus-tcp", "host": "127.0.0.1"}
        device = {key: value for key, value in device.items() if key != "topic"}
    pack = {"version": 1, "pack": "case", **titles, "rules": [rule]}
    site = {
        "version": 1,
        "box": {"id": "case-box"},
        "site": {"project_code": "CASE", **titles},
        "storage": {"folder": str(folder / "data")},
        "rule_packs": ["case"],
        "assets": [{"id": "a", "kind": "other", "serial": "1", **titles}],
        "links": [link],
        "devices": [device],
    }
    for name, data in (("devices/case", table), ("rules/case", pack), ("site", site)):
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return load_site(folder / "site.yaml")


def _without_path(point: Case) -> Case:
    return {key: value for key, value in point.items() if key != "path"}


def _times(entry: Case) -> list[float]:
    if "at_s" in entry:
        return [float(entry["at_s"])]
    count = round((entry["to_s"] - entry["from_s"]) / entry["every_s"])
    return [round(entry["from_s"] + i * entry["every_s"], 6) for i in range(count + 1)]


def _value(entry: Case, i: int, at_s: float) -> float:
    if "values" in entry:
        return float(entry["values"][i % len(entry["values"])])
    return float(entry.get("value", np.nan)) + entry.get("per_s", 0.0) * (at_s - entry.get("from_s", at_s))


def samples_of(case: Case) -> Samples:
    """What arrives when; an empty poll is one that failed."""
    samples: Samples = {}
    for entry in case["series"]:
        quality = Quality[entry.get("quality", "good").upper()]
        for i, at_s in enumerate(_times(entry)):
            poll = samples.setdefault(at_s, {})
            if entry.get("poll") != "failed":
                poll[entry["point"]] = (_value(entry, i, at_s) if quality is not Quality.BAD else np.nan, quality)
    return dict(sorted(samples.items()))


class Run:
    """The judging line of a gateway without its stores; samples and ticks go in, transitions come out."""

    def __init__(self, settings: Settings) -> None:
        self.points = settings.points
        self.rules = RuleTable(settings.rules)
        self.alarms = AlarmTable("case-box", settings.rules)
        self.window = Window(settings.points, 0)
        self.transitions: list[Transition] = []
        self._layouts: dict[tuple[str, ...], NDArray[np.int32]] = {}

    def sample(self, at_s: float, poll: dict[str, tuple[float, Quality]]) -> None:
        now_ns = START_NS + round(at_s * 1e9)
        if poll:
            index = self._layout(tuple(poll))
            value = np.array([value for value, _ in poll.values()])
            quality = np.array([quality for _, quality in poll.values()], dtype=np.uint8)
            readings = Readings("device", index, value, quality, now_ns, now_ns, ANSWERED)
        else:
            readings = Readings.unreadable("device", np.arange(len(self.points), dtype=np.int32), now_ns)
        if self.window.remember(readings, round(at_s * 1e9)):
            self._step(self.rules.on_readings(readings))

    def tick(self, at_s: float) -> None:
        for verdicts in self.rules.on_tick(self.window, round(at_s * 1e9), START_NS + round(at_s * 1e9)):
            self._step(verdicts)

    def _step(self, verdicts: Verdicts) -> None:
        self.transitions += self.alarms.step(verdicts)

    def _layout(self, keys: tuple[str, ...]) -> NDArray[np.int32]:
        index = [self.points.index_of[f"a.{key}"] for key in keys]
        return self._layouts.setdefault(keys, np.array(index, dtype=np.int32))


def run_case(case: Case, settings: Settings) -> tuple[list[dict[str, float]], dict[float, str]]:
    """The alarms, and what the rule said at the times that the case asks about."""
    samples = samples_of(case)
    end_s = float(case.get("until_s", max(samples)))
    ticks = [i * TICK_S for i in range(1, int(end_s / TICK_S) + 1)]
    run = Run(settings)
    said: dict[float, str] = {}
    for at_s in sorted({*samples, *ticks, *(float(each) for each in case.get("truth", {}))}):
        if at_s in samples:
            run.sample(at_s, samples[at_s])
        run.tick(at_s)
        said[at_s] = Truth(run.alarms.truth[0]).name.lower()
    alarms: list[dict[str, float]] = []
    for transition in run.transitions:
        after_s = round((transition.at_ns - START_NS) / 1e9, 6)
        if transition.kind is TransitionKind.RAISED:
            alarms.append({"raised_s": after_s})
        elif transition.kind is TransitionKind.RETURNED:
            alarms[-1]["returned_s"] = after_s
    return alarms, said


@pytest.mark.parametrize("name", list(CASES))
def test_the_alarms_are_those_of_the_case(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    alarms, said = run_case(case, settings_of(case, tmp_path))
    assert alarms == case["alarms"]
    assert {at_s: said[float(at_s)] for at_s in case.get("truth", {})} == case.get("truth", {})


def test_every_family_has_a_case_that_fires_and_one_that_must_not_and_one_with_missing_data() -> None:
    for family in RuleFamily:
        cases = [case for name, case in CASES.items() if case["rule"]["family"] == family]
        assert any(case["alarms"] for case in cases), family
        assert any(not case["alarms"] for case in cases), family
        for word in ("missing", "boundary"):
            assert any(word in case["case"] for case in cases), (family, word)
