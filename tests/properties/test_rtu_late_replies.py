"""Whatever the timing and whatever the units say: words come from the very request that they are handed out for."""

import asyncio
from collections.abc import Sequence
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.plan import Request
from drivers.modbus.rtu_link import BusTiming, RtuBus, RtuLink
from drivers.polling import UnreadableReplyError
from gateway.model.errors import LinkError
from kit.clock import SimulatedClock
from tests.fakes.scripted_bus import BAUD, Answer, Kind, ScriptedBus, word_at

TIMING = BusTiming(BAUD, timeout_ms=100, down_timeout_ms=40, extra_silence_ms=0, quiet_ms=20, forget_s=60)
UNITS = (1, 2, 3)
SAME_SHAPES = [Request(3, 0, 4), Request(3, 20, 4), Request(3, 40, 4), Request(4, 0, 4), Request(3, 60, 9)]
"""What each unit is asked for: three blocks that no reply can tell apart, and two that differ."""

delays_s = st.one_of(st.floats(0, 0.09), st.floats(0.09, 0.4), st.floats(0.4, 6.0))
answers = st.builds(
    Answer,
    kind=st.one_of(st.just(Kind.RIGHT), st.sampled_from([kind for kind in Kind if kind is not Kind.TWICE])),
    delay_s=delays_s,
)


@st.composite
def scripts(draw: st.DrawFn) -> list[Answer]:
    return draw(st.lists(answers, min_size=1, max_size=60))


async def poll(link: RtuLink, bus: ScriptedBus, unit: int, clock: SimulatedClock, pause_s: float) -> None:
    """Poll for ever; check every word that is handed out."""
    for request in cycle(SAME_SHAPES):
        try:
            words = (await link.read(unit, request)).tolist()
        except (LinkError, UnreadableReplyError):
            await clock.sleep(pause_s)
            continue
        asked = bus.requests[-1]
        wanted = (unit, request.function, request.address, request.count)
        assert (asked.unit, asked.function, asked.address, asked.count) == wanted
        assert words[0] == asked.number, "the answer to an earlier request"
        assert words[1:] == [word_at(unit, request.address + i) for i in range(1, request.count)]


async def run_bus(script: Sequence[Answer], pauses_s: Sequence[float], for_s: float) -> None:
    clock = SimulatedClock()
    bus = ScriptedBus(clock, UNITS)
    bus.script = lambda asked: script[asked.number % len(script)]
    link = RtuLink(bus, RtuBus(TIMING), clock)
    units = zip(UNITS, pauses_s, strict=True)
    polls = [asyncio.create_task(poll(link, bus, unit, clock, pause_s)) for unit, pause_s in units]
    await clock.advance(for_s)
    ended = [task for task in polls if task.done()]
    for task in polls:
        task.cancel()
    results = await asyncio.gather(*polls, return_exceptions=True)
    await bus.stop()
    assert not ended, results


@given(script=scripts(), pauses_s=st.tuples(*[st.floats(0.0, 0.5)] * 3))
@settings(max_examples=80, deadline=None)
def test_no_value_ever_lands_on_a_wrong_point(script: list[Answer], pauses_s: tuple[float, float, float]) -> None:
    asyncio.run(run_bus(script, pauses_s, for_s=10.0))
