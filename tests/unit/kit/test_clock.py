import asyncio

from kit.clock import SimulatedClock, SystemClock


async def test_sleepers_wake_in_the_order_of_their_deadlines_at_their_own_times() -> None:
    clock, woken = SimulatedClock(1000), []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic_ns()))
        if name == "a":
            await clock.sleep(1.0)
            woken.append(("a again", clock.monotonic_ns()))

    tasks = [asyncio.create_task(sleeper(name, seconds)) for name, seconds in (("c", 3.0), ("a", 1.0), ("b", 2.5))]
    await clock.advance(2.0)
    assert woken == [("a", 1_000_000_000), ("a again", 2_000_000_000)]
    await clock.advance(5.0)
    assert woken[2:] == [("b", 2_500_000_000), ("c", 3_000_000_000)]
    assert (clock.monotonic_ns(), clock.now_ns()) == (7_000_000_000, 7_000_001_000)
    await asyncio.gather(*tasks)


async def test_a_sleeper_that_was_cancelled_disturbs_nobody() -> None:
    clock = SimulatedClock()
    gone, stays = (asyncio.create_task(clock.sleep(1.0)) for _ in range(2))
    await clock.advance(0.5)
    gone.cancel()
    await clock.advance(0.5)
    assert gone.cancelled()
    assert stays.done()


async def test_a_step_of_the_wall_clock_moves_no_duration() -> None:
    clock = SimulatedClock(10**18)
    clock.step_wall(-3600)
    assert (clock.now_ns(), clock.monotonic_ns()) == (10**18 - 3600 * 10**9, 0)


async def test_the_machines_clock_goes_on() -> None:
    clock = SystemClock()
    wall_ns, mono_ns = clock.now_ns(), clock.monotonic_ns()
    await clock.sleep(0)
    assert clock.now_ns() >= wall_ns > 1_600_000_000_000_000_000
    assert clock.monotonic_ns() > mono_ns


async def test_a_clock_that_is_moved_wakes_who_is_due_and_waits_for_nobody() -> None:
    clock = SimulatedClock(1000)
    due, later = (asyncio.create_task(clock.sleep(seconds)) for seconds in (1.0, 3.0))
    await asyncio.sleep(0)
    clock.move_to(1000 + 2_000_000_000)
    assert (clock.now_ns(), clock.monotonic_ns()) == (2_000_001_000, 2_000_000_000)
    await due
    assert not later.done()
    clock.move_to(5)
    assert clock.monotonic_ns() == 2_000_000_000, "time that has passed stays passed"
    later.cancel()
