import pytest

from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.logins import HOUR_NS
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD, HERE, AccountBench


async def test_a_wall_screen_lives_for_a_year_and_ends_when_it_is_taken_back(bench: AccountBench) -> None:
    await bench.set_up()
    walls = bench.accounts.walls
    wall, token = await walls.give("门卫室电视", BOSS)
    await bench.clock.advance(365 * 24 * 3600.0)
    assert walls.whose(token) == wall
    await walls.revoke(wall.wall_id, BOSS)
    assert walls.whose(token) is None
    (kept,) = walls.all()
    assert (kept.title, kept.revoked_at_ns) == ("门卫室电视", bench.clock.now_ns())
    with pytest.raises(AccountError) as refused:
        await walls.revoke(wall.wall_id, BOSS)
    assert refused.value.fault is AccountFault.NO_SUCH_WALL
    events = [(event["event"], event["subject"], event["detail"]) for event in await bench.events()]
    assert events[-2:] == [("wall_given", wall.wall_id, "门卫室电视"), ("wall_revoked", wall.wall_id, "门卫室电视")]


async def test_when_a_wall_was_last_seen_is_kept(bench: AccountBench) -> None:
    await bench.set_up()
    walls = bench.accounts.walls
    wall, token = await walls.give("TV", BOSS)
    await bench.clock.advance(HOUR_NS / 1e9)
    walls.used(wall)
    await bench.accounts.logins.login("wang", GOOD_PASSWORD, HERE)  # the writer has done what came before
    assert walls.all()[0].seen_at_ns == bench.clock.now_ns()
    assert walls.whose(token) is not None


async def test_a_session_is_no_wall_and_a_wall_is_no_session(bench: AccountBench) -> None:
    _, session = await bench.set_up()
    _, wall = await bench.accounts.walls.give("TV", BOSS)
    assert bench.accounts.walls.whose(session) is None
    assert bench.accounts.logins.whose(wall) is None
    assert bench.accounts.walls.whose("") is None
