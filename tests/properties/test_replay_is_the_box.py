"""Replay is the box: the same words through the wire's way and through a recording give the same alarms and UNKNOWNs.

The box decodes the words with the device's register table. The recording is what a logger of another hand keeps: the
same words as scaled numbers, of whatever they say, sentinels, impossible values and fault bits among them.
"""

import asyncio
import math
import struct
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from drivers.modbus.decode import compile_table
from gateway.line.intake import Arrival
from gateway.line.pipeline import TICK_S
from gateway.model.alarm import Transition
from gateway.model.reading import Readings
from gateway.model.verdict import UNKNOWN
from gateway.ports import BoundDevice
from gateway.settings import Settings
from kit.clock import SimulatedClock
from sitewarden.replay.replay import Replayed, ReplaySource, replay
from tests.fakes.replay_site import register, replay_site
from tests.fakes.site import Site

START_NS = 1_767_225_600_000_000_000
TICK_NS = int(TICK_S * 1e9)
TABLE = [
    register("load_t", 0, type="uint16", scale=0.01, sentinels=[0xFFFF], min=0, max=700, stale_after_s=5)
    | {"fault": "weight_error"},
    register("moment_pct", 1, type="int16", scale=0.1, sentinels=[0x8000], min=0, max=200, stale_after_s=5)
    | {"fault": ["weight_error", "host_error"]},
    register("wind_ms", 2, type="float32", min=0, max=59.99, sentinels=[7.7], stale_after_s=8, fault="wind_error"),
    register("hook_m", 4, type="int32", decimals="hook_places", offset=-1.5, min=-1, max=90, sentinels=[2500])
    | {"stale_after_s": 20},
    register("hook_places", 6, type="uint16", min=0, max=3, stale_after_s=60),
    register("weight_error", 7, type="bit", bit=0, stale_after_s=60),
    register("wind_error", 7, type="bit", bit=3, stale_after_s=60),
    register("host_error", 8, type="uint16", sentinels=[9], min=0, max=9, stale_after_s=60),
]
RULES: list[dict[str, Any]] = [
    {"id": "load.alarm", "family": "threshold", "key": "load_t", "high": 6, "severity": "P1", "on_delay_s": 0}
    | {"off_delay_s": 2, "deadband": 0.5},
    {"id": "moment.alarm", "family": "threshold", "key": "moment_pct", "high": 100, "severity": "P1", "on_delay_s": 1}
    | {"off_delay_s": 2, "deadband": 5},
    {"id": "wind.alarm", "family": "threshold", "key": "wind_ms", "high": 12, "severity": "P2", "on_delay_s": 0}
    | {"off_delay_s": 5, "deadband": 1},
    {"id": "hook.alarm", "family": "threshold", "key": "hook_m", "high": 60, "severity": "P2", "on_delay_s": 0}
    | {"off_delay_s": 0, "deadband": 0},
    {"id": "wind.flat", "family": "flat_line", "key": "wind_ms", "for_s": 30, "tolerance": 0.01, "severity": "P3"}
    | {"gap_s": 20, "off_delay_s": 0},
    {"id": "silent", "family": "silence", "after_s": 10, "severity": "P2", "off_delay_s": 3},
]
WORDS: Mapping[str, Sequence[int]] = {
    "load_t": [0, 599, 600, 601, 550, 65_534, 0xFFFF, 65_000],
    "moment_pct": [0, 999, 1000, 1200, 949, 2000, 2001, 0x8000, 0xFFFF],
    "hook_m": [100, 2500, 61_500, 6150, 6149, 9150, 9151, 0x8000_0000],
    "hook_places": [0, 1, 2, 3, 4],
    "flags": [0, 0, 0, 1, 8, 9, 0xFFF6],
    "host_error": [0, 0, 0, 1, 9, 10],
}
WINDS = [0.0, 3.5, 11.99, 12.0, 13.0, 59.99, 60.0, 7.7, -1.0, math.nan, math.inf]
PAUSES_S = [0.25, 0.25, 0.5, 1.0, 1.0, 2.0, 3.1, 7.3, 15.0, 41.0]
Words = dict[str, int | float]


@cache
def site() -> Settings:
    """Loaded once; a replay and a box of it work in folders of their own."""
    with tempfile.TemporaryDirectory() as folder:
        return replay_site(Path(folder), RULES, {"host": TABLE})


def words(said: Words) -> NDArray[np.uint16]:
    """The registers 0 to 8."""
    order = ("load_t", "moment_pct", "wind_ms", "hook_m", "hook_places", "flags", "host_error")
    wire = struct.pack(">HHfIHHH", *(said[name] for name in order))
    return np.frombuffer(wire, dtype=">u2").astype(np.uint16)


def logged(said: Words) -> dict[str, float]:
    """What a logger without a table of sentinels, ranges and fault bits keeps of them."""
    moment, hook, flags = int(said["moment_pct"]), int(said["hook_m"]), int(said["flags"])
    signed = hook - 2**32 if hook >= 2**31 else hook
    return {
        "load_t": said["load_t"] * 0.01,
        "moment_pct": (moment - 65_536 if moment >= 32_768 else moment) * 0.1,
        "wind_ms": struct.unpack(">f", struct.pack(">f", said["wind_ms"]))[0],
        "hook_m": signed / 10.0 ** said["hook_places"] - 1.5,
        "hook_places": said["hook_places"],
        "weight_error": flags & 1,
        "wind_error": flags >> 3 & 1,
        "host_error": said["host_error"],
    }


async def _live(
    folder: Path, device: BoundDevice, polls: Sequence[tuple[int, Words]]
) -> tuple[list[Transition], NDArray[np.uint8]]:
    """A pipeline that is woken at every tick; its transitions, and what it knew after each poll."""
    decoder, first_ns = compile_table(device.table), START_NS + polls[0][0]
    box = Site(folder, site().points, site().rules, SimulatedClock(first_ns))
    told: list[Transition] = []
    truths = []
    box.recorder.listeners.append(lambda new: told.extend(each.transition for each in new if each.transition))
    recording = asyncio.create_task(box.recorder.run())
    for at_ns, said in polls:
        while (tick_ns := box.clock.monotonic_ns() // TICK_NS * TICK_NS + TICK_NS) < START_NS + at_ns - first_ns:
            box.clock.move_to(first_ns + tick_ns)
            box.pipeline.step(())
        box.clock.move_to(START_NS + at_ns)
        value, quality = decoder.decode([words(said)[r.address : r.end] for r in decoder.requests])
        now_ns = box.clock.now_ns()
        readings = Readings(device.settings.id, device.point_index, value, quality, now_ns, now_ns)
        box.pipeline.step([Arrival(readings)])
        truths.append(box.alarms.truth.copy())
    recording.cancel()
    await asyncio.gather(recording, return_exceptions=True)
    await box.pipeline.stop()
    await box.recorder.drain()
    box.close()
    return told, np.array(truths)


def live(polls: Sequence[tuple[int, Words]]) -> tuple[list[Any], dict[tuple[str, str], int]]:
    """Alarms, and after how many polls each rule was UNKNOWN, of a box that reads the words."""
    device = site().links[0].devices[0]
    with tempfile.TemporaryDirectory() as folder:
        told, truths = asyncio.run(_live(Path(folder), device, polls))
    unknown = (truths == UNKNOWN).sum(axis=0).tolist()
    return named(told), {(r.info.rule_id, r.subject): n for r, n in zip(site().rules, unknown, strict=True)}


def replayed(polls: Sequence[tuple[int, Words]]) -> Replayed:
    """The same words as a logger's file."""
    lines = ["time,point,value"]
    for at_ns, said in polls:
        lines += [f"{START_NS + at_ns},crane-1.{key},{value!r}" for key, value in logged(said).items()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        return replay(site(), ReplaySource(path))


def named(transitions: Sequence[Transition]) -> list[Any]:
    return [(str(t.kind), t.alarm.rule.rule_id, t.alarm.subject, t.at_ns, f"{t.measured:.9g}") for t in transitions]


@st.composite
def days(draw: st.DrawFn) -> list[tuple[int, Words]]:
    polls, at_ns = [], 0
    for _ in range(draw(st.integers(1, 12))):
        said: Words = {key: draw(st.sampled_from(values)) for key, values in WORDS.items()}
        said["wind_ms"] = draw(st.sampled_from(WINDS))
        for _ in range(draw(st.integers(1, 4))):
            polls.append((at_ns, said))
            at_ns += int(draw(st.sampled_from(PAUSES_S)) * 1e9)
    return polls


@settings(max_examples=25, deadline=None)
@given(days())
def test_the_same_words_give_the_same_alarms_and_the_same_unknowns(polls: list[tuple[int, Words]]) -> None:
    told, unknown = live(polls)
    again = replayed(polls)
    assert named(again.transitions) == told
    assert again.unknown_polls == unknown
    stayed = {(each.rule_id, each.subject) for each in again.unknown}
    assert stayed <= {rule for rule, count in unknown.items() if count == len(polls)}


def quiet(**more: int | float) -> Words:
    return {"load_t": 100, "moment_pct": 300, "wind_ms": 3.0, "hook_m": 30, "hook_places": 0, "flags": 0} | {
        "host_error": 0,
        **more,
    }


def test_a_fault_bit_keeps_a_recorded_moment_from_raising() -> None:
    """The five moment alarms of a series that raised none on the box."""
    said = ([quiet(moment_pct=1200, flags=1)] * 4 + [quiet(flags=1)] * 4) * 5
    polls = [(i * 1_000_000_000, each | {"wind_ms": 3.0 + i % 2}) for i, each in enumerate(said)]
    assert live(polls)[0] == []
    again = replayed(polls)
    assert again.transitions == ()
    assert [(each.rule_id, each.why, each.points) for each in again.unknown] == [
        ("load.alarm", "in_doubt", ("crane-1.load_t",)),
        ("moment.alarm", "in_doubt", ("crane-1.moment_pct",)),
    ]
    healthy = [(at_ns, each | {"flags": 0}) for at_ns, each in polls]
    assert sum(each[0] == "raised" for each in live(healthy)[0]) == 5
    assert named(replayed(healthy).transitions) == live(healthy)[0]


def test_the_property_walks_through_alarms_of_every_rule() -> None:
    """Words that raise each of the rules, so that the property is not about nothing."""
    loud = [quiet(load_t=600, moment_pct=1000, wind_ms=12.0, hook_m=62)] * 40
    polls = [(i * 1_000_000_000, each) for i, each in enumerate(loud)] + [(60_000_000_000, quiet())]
    assert {rule for _, rule, *_ in live(polls)[0]} == {rule["id"] for rule in RULES}
    assert named(replayed(polls).transitions) == live(polls)[0]
