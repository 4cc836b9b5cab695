"""One RTU line whose units answer as told, on a simulated clock: what becomes words, and what never does."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from drivers.modbus.plan import Request
from drivers.modbus.replies import ExceptionReplyError
from drivers.modbus.rtu import with_checksum
from drivers.modbus.rtu_link import BusTiming, RtuBus, RtuLink
from drivers.polling import UnreadableReplyError
from gateway.model.errors import LinkError
from kit.clock import SimulatedClock
from tests.fakes.scripted_bus import BAUD, Answer, Kind, ScriptedBus, word_at

TIMING = BusTiming(BAUD, timeout_ms=200, down_timeout_ms=50, extra_silence_ms=0, quiet_ms=30, forget_s=10)
FOUR = Request(3, 10, 4)


class Bench:
    """A link, its bus, and the clock that both live by."""

    def __init__(self, timing: BusTiming = TIMING) -> None:
        self.clock = SimulatedClock()
        self.wire = ScriptedBus(self.clock, [1, 2, 3])
        self.bus = RtuBus(timing)
        self.link = RtuLink(self.wire, self.bus, self.clock)

    async def done(self, work: Coroutine[Any, Any, Any], within_s: float = 30.0) -> Any:
        """The result of the work, with the clock running as long as it needs."""
        task = asyncio.ensure_future(work)
        for _ in range(int(within_s / 0.01)):
            if task.done():
                return await task
            await self.clock.advance(0.01)
        task.cancel()
        raise TimeoutError

    async def read(self, unit: int = 1, request: Request = FOUR) -> list[int]:
        words: list[int] = (await self.done(self.link.read(unit, request))).tolist()
        return words

    def right(self, unit: int = 1, request: Request = FOUR) -> list[int]:
        """What the unit answers to the request that was asked last."""
        number = self.wire.requests[-1].number
        return [number, *(word_at(unit, request.address + i) for i in range(1, request.count))]

    def answers(self, *answers: Answer) -> None:
        """The next requests are answered like this, those after them rightly."""
        first = len(self.wire.requests) + 1
        self.wire.script = lambda asked: (
            answers[asked.number - first] if asked.number - first < len(answers) else Answer()
        )


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.wire.stop()


async def test_a_right_answer_becomes_words(bench: Bench) -> None:
    assert await bench.read() == bench.right()
    assert await bench.read(2, Request(4, 0, 125)) == bench.right(2, Request(4, 0, 125))


async def test_frames_keep_three_and_a_half_characters_apart(bench: Bench) -> None:
    bench.answers(*[Answer(delay_s=0.0)] * 5)

    async def five() -> None:
        for _ in range(5):
            await bench.link.read(1, FOUR)

    await bench.done(five())
    starts_s = [asked.at_s for asked in bench.wire.requests]
    exchange_s = (8 + 13) * 11 / BAUD
    for before, after in pairwise(starts_s):
        assert after - before == pytest.approx(exchange_s + 3.5 * 11 / BAUD, abs=1e-6)


async def test_an_extra_silence_is_kept_as_well() -> None:
    bench = Bench(BusTiming(BAUD, 200, 50, extra_silence_ms=20, quiet_ms=30, forget_s=10))
    bench.answers(Answer(delay_s=0), Answer(delay_s=0))

    async def two() -> None:
        await bench.link.read(1, FOUR)
        await bench.link.read(2, FOUR)

    await bench.done(two())
    gap_s = bench.wire.requests[1].at_s - bench.wire.requests[0].at_s - (8 + 13) * 11 / BAUD
    assert gap_s == pytest.approx(3.5 * 11 / BAUD + 0.02, abs=1e-6)
    await bench.wire.stop()


WRONG = {
    Kind.OTHER_UNIT: "unit 101, function code 3, 9 bytes",
    Kind.OTHER_FUNCTION: "unit 1, function code 4, 9 bytes",
    Kind.OTHER_LENGTH: "unit 1, function code 3, 129 bytes",
    Kind.BAD_CHECKSUM: "checksum ",
    Kind.CUT: "no whole frame in time",
    Kind.TAIL: "1 bytes more after the frame",
    Kind.TWICE: "13 bytes more after the frame",
    Kind.NOISE_BEFORE: "function code 1|checksum |no whole frame",
    Kind.NOISE: "function code 255",
}


@pytest.mark.parametrize("kind", list(WRONG))
async def test_what_is_no_answer_never_becomes_words_and_the_next_read_is_right(bench: Bench, kind: Kind) -> None:
    bench.answers(Answer(kind))
    with pytest.raises(UnreadableReplyError, match=WRONG[kind]) as caught:
        await bench.read()
    assert caught.value.payload != b""
    assert "asking scripted-bus unit 1 for function 3, address 10, count 4" in str(caught.value)
    assert await bench.read() == bench.right()


async def test_a_frame_glued_behind_the_answer_a_moment_later_is_refused_too(bench: Bench) -> None:
    await bench.read()
    bench.answers(Answer(delay_s=0.005))
    reading = asyncio.ensure_future(bench.link.read(1, FOUR))
    while len(bench.wire.requests) < 2:
        await bench.clock.advance(0.001)
    due_s = (8 + 13) * 11 / BAUD + 0.005
    await bench.clock.advance(due_s + 0.0005)
    assert not reading.done()
    bench.wire.say(b"\x02")  # inside the 3.5 characters
    await bench.clock.advance(0.1)
    with pytest.raises(UnreadableReplyError, match="1 bytes more"):
        await reading


async def test_silence_is_a_link_error_that_says_whom_it_asked(bench: Bench) -> None:
    bench.answers(Answer(Kind.SILENT))
    with pytest.raises(
        LinkError, match="no reply in time asking scripted-bus unit 2 for function 3, address 10, count 4"
    ):
        await bench.read(2)


async def test_after_a_silence_no_request_of_the_same_shape_is_asked_until_a_probe_was_answered(bench: Bench) -> None:
    bench.answers(Answer(Kind.SILENT))
    with pytest.raises(LinkError):
        await bench.read()
    assert await bench.read(1, Request(3, 50, 4)) == bench.right(1, Request(3, 50, 4))
    shapes = [(asked.address, asked.count) for asked in bench.wire.requests]
    assert shapes == [(10, 4), (50, 1), (50, 4)]


async def test_a_late_reply_is_thrown_away_whenever_it_comes(bench: Bench) -> None:
    for late_s in (0.21, 0.24, 0.3, 0.5, 1.0, 3.0):
        bench.answers(Answer(delay_s=late_s))
        with pytest.raises(LinkError):
            await bench.read(1, Request(3, 0, 4))
        for _ in range(20):
            try:
                assert await bench.read(1, Request(3, 50, 4)) == bench.right(1, Request(3, 50, 4))
                break
            except (LinkError, UnreadableReplyError):
                await bench.clock.advance(0.3)
        else:
            pytest.fail("never read again")
    assert bench.bus.late_replies >= 6


async def test_a_late_reply_of_one_unit_does_not_spoil_the_answer_of_another(bench: Bench) -> None:
    bench.answers(Answer(delay_s=0.235), Answer(delay_s=0.1))
    with pytest.raises(LinkError):
        await bench.read(1)
    assert await bench.read(2) == bench.right(2)
    assert bench.bus.late_replies == 1


async def test_the_line_is_quiet_after_a_silence(bench: Bench) -> None:
    bench.answers(Answer(Kind.SILENT))
    with pytest.raises(LinkError):
        await bench.read(1, Request(3, 0, 1))
    await bench.read(2, Request(3, 0, 1))
    waited_s = bench.wire.requests[1].at_s - bench.wire.requests[0].at_s
    wire_s = (8 + 2 * 7) * 11 / BAUD
    assert waited_s == pytest.approx(wire_s + 0.2 + 0.03, abs=1e-6)


async def test_a_line_on_which_somebody_never_stops_talking_is_named(bench: Bench) -> None:
    async def chatter() -> None:
        while True:
            bench.wire.say(b"\x55")
            await bench.clock.sleep(0.001)

    talking = asyncio.ensure_future(chatter())
    with pytest.raises(LinkError, match="is busy all the time"):
        await bench.read()
    talking.cancel()
    assert bench.wire.requests == []


async def test_an_exception_reply_is_an_answer(bench: Bench) -> None:
    bench.answers(Answer(Kind.EXCEPTION, code=2))
    with pytest.raises(ExceptionReplyError, match=r"exception 2 \(illegal data address\) asking .* unit 1") as caught:
        await bench.read()
    assert caught.value.refuses_addresses
    await bench.read()
    assert [asked.count for asked in bench.wire.requests] == [4, 4]  # no probe, no quarantine


async def test_an_exception_that_may_be_a_late_one_is_not_relied_upon(bench: Bench) -> None:
    bench.answers(Answer(Kind.SILENT), Answer(Kind.EXCEPTION, code=2), Answer(Kind.EXCEPTION, code=2))
    with pytest.raises(LinkError):
        await bench.read()
    with pytest.raises(ExceptionReplyError) as caught:
        await bench.read()  # the probe is refused, then the request
    assert not caught.value.certain
    assert not caught.value.refuses_addresses
    assert await bench.read() == bench.right()


async def test_a_unit_that_refuses_every_probe_is_read_again_all_the_same(bench: Bench) -> None:
    bench.answers(Answer(Kind.SILENT), Answer(Kind.EXCEPTION, code=2))
    one = Request(3, 7, 1)
    with pytest.raises(LinkError):
        await bench.read(1, one)
    assert await bench.read(1, one) == bench.right(1, one)
    assert [asked.count for asked in bench.wire.requests] == [1, 2, 1]


async def test_a_lost_line_is_noticed_at_once_and_opened_again(bench: Bench) -> None:
    bench.answers(Answer(Kind.SILENT))
    reading = asyncio.ensure_future(bench.link.read(1, FOUR))
    while not bench.wire.requests:
        await bench.clock.advance(0.01)
    bench.wire.lose()
    await bench.clock.advance(0.001)
    with pytest.raises(LinkError, match="connection lost asking"):
        await reading
    assert await bench.read() == bench.right()
    assert bench.wire.opened == 2
    assert bench.bus.patience.trusts(1)  # the line's fault, not the unit's


async def test_a_line_over_which_nothing_comes_is_opened_again(bench: Bench) -> None:
    bench.answers(*[Answer(Kind.SILENT)] * 4)
    for _ in range(4):
        with pytest.raises(LinkError):
            await bench.read()
    assert bench.wire.opened == 2


async def test_a_cancelled_read_leaves_nothing_behind(bench: Bench) -> None:
    bench.answers(Answer(delay_s=0.1))
    reading = asyncio.ensure_future(bench.link.read(1, Request(3, 0, 4)))
    while not bench.wire.requests:
        await bench.clock.advance(0.01)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert await bench.read(1, Request(3, 50, 4)) == bench.right(1, Request(3, 50, 4))


async def test_a_write_cannot_even_be_framed(bench: Bench) -> None:
    for function in (0, 5, 6, 15, 16, 22, 23):
        with pytest.raises(ValueError, match="nothing else is sent"):
            await bench.read(1, Request(function, 0, 1))
    assert bench.wire.requests == []


async def test_bits_arrive_as_zero_and_one() -> None:
    bench = Bench()

    def answer_bits(data: bytes) -> None:
        bench.wire.say(with_checksum(bytes((data[0], data[1], 2, 0b1010_0101, 0b0000_0011))))

    bench.wire.send = answer_bits  # type: ignore[method-assign]
    assert await bench.read(1, Request(1, 0, 10)) == [1, 0, 1, 0, 0, 1, 0, 1, 1, 1]
