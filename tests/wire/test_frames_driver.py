"""The driver for devices that call, over real sockets: what arrives, what is answered, and callers who mean no good."""

import asyncio
import contextlib
import logging
import socket

import numpy as np
import pytest

from drivers.frames.driver import FramesDriver
from drivers.frames.link import Caller
from drivers.frames.settings import FramesTable
from gateway.model.reading import Quality
from gateway.ports import LinkState
from kit.clock import SimulatedClock
from tests.fakes.frames_box import (
    BINARY,
    DUST,
    TEXT,
    RawCaller,
    bound_link,
    frame,
    port_of,
    running,
    shipped,
    until,
)
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.mosquitto import free_port

ACK = bytes.fromhex("7e80001153494d2d30303031000103000b3b7e")
"""To values frame 1 of SIM-0001; the checksum by pymodbus."""
STRANGER = "nobody-1"
GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def clock() -> SimulatedClock:
    """It stands at the time that `frame()` says, and moves only when told."""
    return SimulatedClock()


def qualities(sink: HoldingSink) -> list[int]:
    """The one quality of each set of readings, in order."""
    assert all(len(set(readings.quality.tolist())) == 1 for readings in sink.readings)
    return [int(readings.quality[0]) for readings in sink.readings]


async def test_a_frame_becomes_readings_and_is_acknowledged(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port), sink, clock) as driver, RawCaller(port) as caller:
        assert driver.health()[0].state is LinkState.STARTING
        await caller.say(frame(load_t=2.5))
        await caller.hears(ACK)
        health = driver.health()[0]
    (readings,) = sink.readings
    assert (readings.device, readings.value[0], readings.quality[0]) == ("crane-1", 2.5, GOOD)
    assert readings.observed_at_ns == clock.now_ns()
    assert readings.raw.payload == frame(load_t=2.5)
    assert (health.state, health.polls, health.failures, health.last_error) == (LinkState.UP, 1, 0, "")
    assert dict(health.labels) == {"identity": "SIM-0001", "certainty": "PD"}


async def test_nothing_is_acknowledged_before_the_history_has_it(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink(hold=True)
    async with running(bound_link(port), sink, clock), RawCaller(port) as caller:
        await caller.say(frame() + frame("heartbeat", number=2))
        await sink.until(lambda: len(sink.readings) == 1)
        await clock.advance(0)
        assert caller.received == b""
        sink.commit()
        await until(lambda: caller.received.count(b"\x7e") == 4, "both acknowledgements, in order")
    assert caller.received.startswith(ACK)


async def test_what_the_history_could_not_keep_is_not_acknowledged(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink(hold=True)
    async with running(bound_link(port), sink, clock) as driver, RawCaller(port) as caller:
        await caller.say(frame())
        await sink.until(lambda: len(sink.readings) == 1)
        sink.fail("disk full")
        await caller.hung_up_on()
        assert caller.received == b""
        await until(lambda: driver.health()[0].state is LinkState.DOWN, "the device is down")
        assert "the history could not keep a frame: disk full" in driver.health()[0].last_error


async def test_frames_in_pieces_and_several_at_once(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port), sink, clock), RawCaller(port) as caller:
        whole = frame(load_t=1) + frame(load_t=2) + frame(load_t=3)
        for byte in whole:
            await caller.say(bytes([byte]))
        await sink.until(lambda: len(sink.readings) == 3)
    assert sink.values == [1, 2, 3]


async def test_a_text_host_and_its_registration(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, ["SIM/1"], shipped(TEXT)), sink, clock), RawCaller(port) as caller:
        await caller.say(b"&$SIM$1$V2.F$0$HARD$SOFT$0$!&$SIM$1$V2.F$2$!")
        await caller.hears(b"*$SIM$1$V2.F$2$@")
        await caller.say(b"&$SIM$1$V2.F$3$2023-11-15$06:13:20$7$2$53.3$3.2$6.0$8.4$!")
        await sink.until(lambda: len(sink.readings) == 1)
    assert sink.readings[0].value[:6].tolist() == [7, 2, 53.3, 3.2, 6.0, 8.4]


async def test_a_dust_station_that_asks_for_no_answer(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    wire = b"##0062QN=1;ST=22;CN=2011;PW=1;MN=A;Flag=4;DataTime=20231115061320;LA-Rtd=60"
    async with running(bound_link(port, ["A"], shipped(DUST)), sink, clock), RawCaller(port) as caller:
        await caller.say(wire.replace(b"0062", b"%04d" % (len(wire) - 6)) + b"0000\r\n")
        await sink.until(lambda: len(sink.aside) == 1)
        assert "checksum" in sink.aside[0][2]
        assert sink.aside[0][1] == b""  # a password may be in it
        assert caller.received == b""


# --- silence ---


async def test_a_caller_that_goes_leaves_unknown_values(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port), sink, clock) as driver:
        async with RawCaller(port) as caller:
            await caller.say(frame())
            await caller.hears(ACK)
        await sink.until(lambda: len(sink.offered) == 1)
        assert set(sink.offered[0].quality.tolist()) == {BAD}
        assert driver.health()[0].state is LinkState.DOWN
        async with RawCaller(port) as caller:
            await caller.say(frame())
            await caller.hears(ACK)
            assert driver.health()[0].state is LinkState.UP


async def test_a_caller_that_says_nothing_more_is_hung_up_on(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, idle_s=180), sink, clock) as driver, RawCaller(port) as caller:
        await caller.say(frame())
        await caller.hears(ACK)
        await clock.advance(180)
        assert not caller.is_over
        await clock.advance(1)
        await caller.hung_up_on()
        await sink.until(lambda: len(sink.offered) == 1)
        assert driver.health()[0].last_error == "nothing sound for 180 s"


async def test_a_half_frame_is_waited_for_and_then_given_up(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, frame_s=15), sink, clock) as driver, RawCaller(port) as caller:
        await caller.say(frame())
        await caller.hears(ACK)
        half = len(frame()) // 2
        await caller.say(frame(load_t=2)[:half])
        await until(lambda: next(iter(driver._callers.values())).cutter.in_frame, "half a frame is there")
        await clock.advance(14)
        await caller.say(frame(load_t=2)[half:])
        await sink.until(lambda: len(sink.readings) == 2)
        await caller.say(frame(load_t=3)[:half])
        await until(lambda: next(iter(driver._callers.values())).cutter.in_frame, "half a frame is there")
        await clock.advance(16)
        await caller.hung_up_on()
        await sink.until(lambda: len(sink.offered) == 1)
        assert driver.health()[0].last_error == "a frame was not complete after 15 s"
    assert sink.values == [1, 2]


async def test_one_byte_a_second_gets_a_frame_no_further_than_its_time(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, frame_s=15, hello_s=60), sink, clock), RawCaller(port) as caller:
        sent = 0
        for byte in frame():
            if caller.is_over:
                break
            await caller.say(bytes([byte]))
            sent += 1
            await asyncio.sleep(0)
            await clock.advance(1)
        await caller.hung_up_on()
    assert 15 <= sent <= 18
    assert sink.readings == []


async def test_one_byte_a_second_of_nothing_ends_with_the_time_for_a_name(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, hello_s=20), sink, clock) as driver, RawCaller(port) as caller:
        for _ in range(25):
            if not caller.is_over:
                await caller.say(b"x")
            await clock.advance(1)
        await caller.hung_up_on()
        await until(lambda: "did not say within 20 s" in port_of(driver).last_error, "the page says why")


# --- floods and garbage ---


async def test_garbage_is_counted_kept_within_bounds_and_the_next_frame_read(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port), sink, clock) as driver:
        async with RawCaller(port) as caller:
            await caller.say(b"\x00\xff" * 500 + frame() + b"GET / HTTP/1.1\r\n\r\n" + frame(load_t=2) + b"tail")
            await sink.until(lambda: len(sink.readings) == 2)
        await sink.until(lambda: len(sink.offered) == 1)
        assert driver.health()[0].failures == 3
    assert [(device, len(kept), reason) for device, kept, reason in sink.aside] == [
        ("boxes", 64, "1000 bytes belong to no frame"),
        ("crane-1", 64, "18 bytes belong to no frame"),
        ("crane-1", 64, "4 bytes belong to no frame"),
    ]


async def test_endless_garbage_is_hung_up_on(port: int) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, max_frames_per_s=1000), sink) as driver, RawCaller(port) as caller:
        with contextlib.suppress(OSError):
            for _ in range(1000):
                await caller.say(b"\x00" * 4096)
        await caller.hung_up_on()
        await until(lambda: "65536 bytes without a frame" in port_of(driver).last_error, "the page says why")
    assert sink.readings == []


async def test_broken_frames_in_a_row_are_hung_up_on(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    broken = frame()[:-3] + b"\0\0\x7e"
    async with running(bound_link(port, max_frames_per_s=1000), sink, clock) as driver, RawCaller(port) as caller:
        await caller.say(frame())
        await caller.hears(ACK)
        await caller.say(broken * 30)
        await caller.hung_up_on()
        await sink.until(lambda: len(sink.offered) == 1)
        health = driver.health()[0]
    assert health.last_error == "20 broken frames in a row"
    assert len(sink.readings) == 1
    assert all(device == "crane-1" for device, _, _ in sink.aside)


async def test_a_wrong_checksum_is_counted_and_never_read(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port), sink, clock) as driver, RawCaller(port) as caller:
        await caller.say(frame() + frame(load_t=9)[:-3] + b"\0\0\x7e" + frame(load_t=2))
        await sink.until(lambda: len(sink.readings) == 2)
        health = driver.health()[0]
    assert sink.values == [1, 2]
    assert health.failures >= 1
    assert any("checksum 00 00, computed" in reason for _, _, reason in sink.aside)


async def test_a_flood_of_sound_frames_waits_its_turn_and_loses_nothing(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, max_frames_per_s=10), sink, clock), RawCaller(port) as caller:
        await caller.say(b"".join(frame(load_t=n % 7, number=n) for n in range(200)))
        await sink.until(lambda: len(sink.readings) >= 50)
        await clock.advance(0)
        early = len(sink.readings)
        for _ in range(200):
            if len(sink.readings) < 200:
                await clock.advance(0.5)
        await until(lambda: len(sink.readings) == 200, "every frame in the end")
    assert early < 150  # the burst, and what one chunk brought along
    assert sink.values == [n % 7 for n in range(200)]


async def test_a_flood_holds_back_its_sender_and_no_neighbour(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    link = bound_link(port, ["SIM-0001", "SIM-0002"], max_frames_per_s=1)
    async with running(link, sink, clock), RawCaller(port) as flooder, RawCaller(port) as neighbour:
        await flooder.say(frame() * 2000)
        await sink.until(lambda: len(sink.readings) >= 5)
        for number in range(1, 4):
            await neighbour.say(frame(serial="SIM-0002", number=number, load_t=3))
            await sink.until(lambda n=number: sum(r.device == "crane-2" for r in sink.readings) == n)
    assert sum(readings.device == "crane-1" for readings in sink.readings) < 200


async def test_a_full_queue_makes_the_caller_wait_and_its_time_does_not_run(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink(hold=True, room=2)
    async with running(bound_link(port, idle_s=30), sink, clock), RawCaller(port) as caller:
        await caller.say(b"".join(frame(load_t=n) for n in range(3)))
        await sink.until(lambda: len(sink.readings) == 2)
        await clock.advance(100)
        assert not caller.is_over
        sink.commit_from_now_on()
        await sink.until(lambda: len(sink.readings) == 3)
        await clock.advance(29)
        assert not caller.is_over
    assert sink.most_uncommitted == 2
    assert sink.values == [0, 1, 2]


async def test_a_caller_that_takes_no_replies_is_hung_up_on(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        async with running(bound_link(port, max_frames_per_s=1000, frame_s=15), sink, clock) as driver:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, ("127.0.0.1", port))
            talking = asyncio.create_task(loop.sock_sendall(deaf, frame("heartbeat") * 20_000))
            caller = await _first(driver)
            for _ in range(1000):
                await clock.advance(1)
                if caller.reason:
                    break
            await until(lambda: caller.reason, "the box hangs up")
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            assert caller.reason == "it takes no reply for 15 s"


async def _first(driver: FramesDriver) -> Caller:
    await until(lambda: driver._callers, "a caller is there")
    return next(iter(driver._callers.values()))


# --- who it is ---


async def test_an_unknown_identity_is_shown_kept_aside_and_not_answered(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, hello_s=60), sink, clock) as driver, RawCaller(port) as caller:
        await caller.say(frame(serial=STRANGER) * 3)
        await sink.until(lambda: len(sink.aside) == 3)
        assert sink.aside[0] == ("boxes", frame(serial=STRANGER), f"no device has the identity '{STRANGER}'")
        assert f"unknown devices call: '{STRANGER}' from 127.0.0.1:" in port_of(driver).last_error
        assert "(frames: 3)" in port_of(driver).last_error
        assert port_of(driver).failures == 3
        await clock.advance(61)
        await caller.hung_up_on()
        assert caller.received == b""
    assert sink.readings == []


async def test_one_connection_speaks_for_one_device(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    link = bound_link(port, ["SIM-0001", "SIM-0002"])
    async with running(link, sink, clock), RawCaller(port) as caller:
        await caller.say(frame() + frame(serial="SIM-0002"))
        await caller.hung_up_on()
        await sink.until(lambda: len(sink.offered) == 1)
    assert [readings.device for readings in sink.readings] == ["crane-1"]
    assert sink.offered[0].device == "crane-1"


async def test_two_callers_with_one_identity_make_its_values_suspect(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    link = bound_link(port, takeover_s=10, contest_s=60)
    async with running(link, sink, clock) as driver, RawCaller(port) as first:
        await first.say(frame())
        await first.hears(ACK)
        async with RawCaller(port) as second:
            await second.say(frame(load_t=5))
            await second.hung_up_on()
            assert second.received == b""
        assert "a second caller says that it is 'SIM-0001'" in driver.health()[0].last_error
        refused = "'SIM-0001' is connected from 127.0.0.1"
        await until(lambda: refused in port_of(driver).last_error, "the page says why")
        assert port_of(driver).failures == 1
        await first.say(frame(load_t=2))
        await sink.until(lambda: len(sink.readings) == 2)
        assert "two callers say that they are this device" in driver.health()[0].last_error
        await clock.advance(59)
        await first.say(frame(load_t=3))
        await sink.until(lambda: len(sink.readings) == 3)
        await clock.advance(2)
        await first.say(frame(load_t=4))
        await sink.until(lambda: len(sink.readings) == 4)
    assert sink.values == [1, 2, 3, 4]
    assert qualities(sink) == [GOOD, SUSPECT, SUSPECT, GOOD]


async def test_two_units_that_speak_rarely_do_not_take_the_device_from_each_other(
    port: int, clock: SimulatedClock
) -> None:
    """Each says something every 20 s, and calls again whenever it was hung up on."""
    sink = HoldingSink()
    async with running(bound_link(port, takeover_s=10, idle_s=180), sink, clock), contextlib.AsyncExitStack() as stack:
        units: list[RawCaller | None] = [None, None]
        for turn in range(12):
            unit = units[turn % 2]
            if unit is None or unit.is_over:
                unit = units[turn % 2] = await stack.enter_async_context(RawCaller(port))
            heard, said = len(sink.readings), unit
            await unit.say(frame(load_t=1 + turn % 2))
            await until(lambda h=heard, u=said: len(sink.readings) > h or u.is_over, "it is heard or refused")
            await clock.advance(10)
    assert qualities(sink)[:2] == [GOOD, GOOD]
    assert set(qualities(sink)[2:]) == {SUSPECT}
    assert len(set(sink.values[2:])) == 1, "one of them has it, and it is not believed"


async def test_a_frame_without_a_name_counts_for_who_named_itself_before(port: int, clock: SimulatedClock) -> None:
    raw = shipped(BINARY).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    raw |= {"version": 1, "driver": "tcp-frames"}
    raw["grammar"]["messages"][2]["names_caller"] = False
    table = FramesTable.model_validate(raw)
    sink = HoldingSink()
    async with running(bound_link(port, table=table), sink, clock), RawCaller(port) as caller:
        await caller.say(frame(serial="whoever"))
        await sink.until(lambda: len(sink.aside) == 1)
        await caller.say(frame("registration") + frame(serial="whoever", load_t=2))
        await sink.until(lambda: len(sink.readings) == 1)
    assert sink.aside[0][2] == "a frame before its sender said which device it is"
    assert (sink.readings[0].device, sink.values) == ("crane-1", [2])


async def test_a_unit_that_calls_again_takes_over_from_its_own_dead_connection(
    port: int, clock: SimulatedClock
) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, takeover_s=10), sink, clock) as driver, RawCaller(port) as dead:
        await dead.say(frame())
        await dead.hears(ACK)
        await clock.advance(10)
        async with RawCaller(port) as again:
            await again.say(frame(load_t=2))
            await dead.hung_up_on()
            await again.hears(ACK)
            assert driver.health()[0].state is LinkState.UP
            assert sink.offered == []
    assert qualities(sink) == [GOOD, GOOD]


async def test_a_device_may_be_bound_to_an_address(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    link = bound_link(port)
    bound = link.devices[0].settings.model_copy(update={"allow": ("127.0.0.2",)})
    link = type(link)(link.settings, (type(link.devices[0])(bound, link.devices[0].table, (), np.arange(21)),))
    async with running(link, sink, clock), RawCaller(port) as wrong, RawCaller(port, "127.0.0.2") as right:
        await wrong.say(frame())
        await wrong.hung_up_on()
        await right.say(frame())
        await right.hears(ACK)
    assert qualities(sink) == [GOOD]


async def test_addresses_that_are_not_allowed_are_not_heard(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, allow=["127.0.0.2/31"]), sink, clock) as driver:
        async with RawCaller(port) as wrong:
            await wrong.hung_up_on()
        async with RawCaller(port, "127.0.0.3") as right:
            await right.say(frame())
            await right.hears(ACK)
        assert "its address is not allowed" in port_of(driver).last_error
        assert (port_of(driver).polls, port_of(driver).failures) == (2, 1)


async def test_callers_are_bounded_and_one_without_a_name_makes_room(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    link = bound_link(port, ["SIM-0001", "SIM-0002"], max_callers=2, max_callers_per_address=2)
    async with running(link, sink, clock) as driver, RawCaller(port) as nameless, RawCaller(port) as first:
        await first.say(frame())
        await first.hears(ACK)
        async with RawCaller(port) as second:
            await nameless.hung_up_on()
            await second.say(frame(serial="SIM-0002"))
            await sink.until(lambda: len(sink.readings) == 2)
            async with RawCaller(port) as third:
                await third.hung_up_on()
                assert "2 callers of this address are connected" in port_of(driver).last_error
            assert not first.is_over
            assert not second.is_over


async def test_a_hundred_calls_at_once_leave_the_named_ones_alone(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port), sink, clock) as driver, RawCaller(port) as first:
        await first.say(frame())
        await first.hears(ACK)
        flood = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(100)))
        await until(lambda: port_of(driver).polls == 101, "all were seen")
        assert len(driver._callers) <= 8
        await first.say(frame(load_t=2))
        await sink.until(lambda: len(sink.readings) == 2)
        for _, writer in flood:
            writer.transport.abort()


# --- the port ---


async def test_a_port_that_is_taken_is_tried_again(
    port: int, clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sink = HoldingSink()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        driver = FramesDriver(bound_link(port, retry_s=5), clock)
        task = asyncio.create_task(driver.run(sink))
        await until(lambda: port_of(driver).state is LinkState.DOWN, "the port is closed")
        assert f"cannot listen on 127.0.0.1:{port}" in port_of(driver).last_error
        await clock.advance(20)
    await clock.advance(6)
    await until(lambda: port_of(driver).state is LinkState.UP, "the port is open")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sum("port closed" in record.message for record in caplog.records) == 1


async def test_stopping_hangs_up_and_frees_the_port(port: int, clock: SimulatedClock) -> None:
    sink = HoldingSink()
    async with running(bound_link(port), sink, clock):
        caller = RawCaller(port)
        await caller.__aenter__()
        await caller.say(frame())
        await caller.hears(ACK)
    await caller.hung_up_on()
    await caller.__aexit__()
    assert sink.offered == []
    async with running(bound_link(port), sink, clock), RawCaller(port) as again:
        await again.say(frame())
        await again.hears(ACK)
