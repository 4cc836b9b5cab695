"""What a commit settled reaches everybody who waits: results, refusals, and who no longer waits is passed over."""

import asyncio
from concurrent.futures import Future

import pytest

from regulator.base.intake.settled import Settled


async def test_results_and_refusals_reach_those_who_wait() -> None:
    settled, good, bad = Settled(), Future[int](), Future[int]()
    waiting = [asyncio.create_task(settled.wait(each)) for each in (good, bad)]
    await asyncio.sleep(0)

    def commit() -> None:
        good.set_result(7)
        bad.set_exception(OSError("full"))

    await asyncio.to_thread(commit)
    assert await waiting[0] == 7
    with pytest.raises(OSError, match="full"):
        await waiting[1]


async def test_who_gives_up_cancels_what_was_not_begun_and_holds_up_nobody() -> None:
    settled, left, kept = Settled(), Future[int](), Future[int]()
    leaving, staying = (asyncio.create_task(settled.wait(each)) for each in (left, kept))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert left.cancelled()
    await asyncio.to_thread(kept.set_result, 1)
    assert await staying == 1
