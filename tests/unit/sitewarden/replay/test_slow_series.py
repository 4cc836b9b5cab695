"""Slow series: a pit that is asked only when it can say something new raises what it raises when asked every minute."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.model.derivation import AssetEvent, Derivation, Json, Times, Values
from gateway.model.rule import ResolvedRule
from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from sitewarden.replay.replay import Replayed, ReplaySource, replay
from tests.fakes.pit_box import CONTROL, write_pit_site

START_S = 1_767_225_600
HOUR_S = 3600.0
ITEMS = ("wall_top_horizontal_displacement", "deep_horizontal_displacement", "surface_settlement")


class Unforeseeing:
    """A model whose foresight is hidden: it has to be asked."""

    def __init__(self, model: Derivation) -> None:
        self._model = model
        self.device, self.inputs = model.device, model.inputs
        self.outputs, self.period_s = model.outputs, model.period_s

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        return self._model.step(value, observed_at_ns, now_ns)

    def take_events(self) -> Sequence[AssetEvent]:
        return self._model.take_events()

    def saved(self) -> Json:
        return self._model.saved()

    def restore(self, saved: Json) -> None:
        self._model.restore(saved)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    points: list[dict[str, Any]] = [
        {"name": f"p-{i}", "item": item, "by_hand": True, "already_cumulative": True, "control": CONTROL, "line": "A"}
        | {"required_every_h": hours, "structure": "diaphragm_wall"}
        for i, (item, hours) in enumerate(zip(ITEMS, (0.1, 6.0, 24.0), strict=True))
    ]
    path = write_pit_site(tmp_path, points=points, base_slab_cast="2025-12-26T03:00:00Z")
    return load(str(path), DRIVERS, UPLINKS, KINDS)


def series(path: Path, seed: int, hours: float) -> Path:
    """Points read now and then, with long holes and jumps, and a mast that speaks in bursts."""
    source = random.Random(seed)
    lines = ["time,point,value"]
    for i in range(len(ITEMS)):
        at_s, value = source.uniform(0, 60), 0.0
        while at_s < hours * HOUR_S:
            lines.append(f"{START_S + at_s:.3f},pit-1.p-{i}_hand,{value:.2f}")
            value += source.choice([0.0, 0.4, 1.5, 4.0])
            at_s += source.choice([30.0, 600.0, source.uniform(0.02, 0.1) * hours * HOUR_S])
    for _ in range(3):
        at_s = source.uniform(0, hours * HOUR_S)
        lines += [f"{START_S + at_s + 1.3 * i:.3f},mast-1.wind,{source.choice([3, 22])}" for i in range(12)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def told(found: Replayed) -> list[tuple[object, ...]]:
    return [
        (str(each.kind), each.alarm.rule.rule_id, each.alarm.subject, each.at_ns, each.measured, each.alarm.worst)
        for each in found.transitions
    ]


@pytest.mark.parametrize("seed", range(2))
def test_a_pit_that_is_asked_seldom_says_what_it_says_every_minute(
    settings: Settings, tmp_path: Path, seed: int
) -> None:
    source = ReplaySource(series(tmp_path / "series.csv", seed, 12.0))
    seldom = replay(settings, source)
    every_minute = replay(settings, source, [Unforeseeing(model) for model in settings.plan.models()])
    assert told(seldom) == told(every_minute)
    assert seldom.unknown_polls == every_minute.unknown_polls
    raised = {rule for kind, rule, *_ in told(seldom) if kind == "raised"}
    assert {"pit.reading.overdue", "device.silence", "pit.deep_horizontal_displacement.cumulative.danger"} <= raised


def test_at_every_tick_it_is_the_same(settings: Settings, tmp_path: Path) -> None:
    hasty = replace(settings, rules=tuple(_hasty(rule) for rule in settings.rules))
    source = ReplaySource(series(tmp_path / "series.csv", 5, 0.5))
    every_tick = replay(hasty, ReplaySource(source.file, every_tick=True))
    seldom = replay(hasty, source)
    assert told(seldom) == told(every_tick)
    assert any(rule == "pit.reading.overdue" for _, rule, *_ in told(seldom))


def _hasty(rule: ResolvedRule) -> ResolvedRule:
    """Overdue already when three minutes are left, so that every tick until then can be looked at."""
    return replace(rule, limit=-0.05) if rule.info.rule_id == "pit.reading.overdue" else rule
