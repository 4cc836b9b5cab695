import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.accounts.account_events import AccountEvent, AccountEventKind
from gateway.accounts.account_rows import ACCOUNTS_FILE
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.logins import HOUR_NS, MOST_SESSIONS_A_PERSON
from gateway.accounts.passwords import Passwords
from gateway.accounts.person import Role
from gateway.accounts.workplaces import Caller
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD, HERE, OTHER_PASSWORD, AccountBench

ELSEWHERE = Caller("10.9.9.9")


async def fault_of(bench: AccountBench, name: str, password: str, caller: Caller = HERE) -> AccountError:
    with pytest.raises(AccountError) as refused:
        await bench.accounts.logins.login(name, password, caller)
    return refused.value


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(bench: AccountBench) -> None:
    await bench.set_up()
    assert (await fault_of(bench, "wang", "not the password")).fault is AccountFault.WRONG_LOGIN
    assert (await fault_of(bench, "nobody", "not the password")).fault is AccountFault.WRONG_LOGIN


async def test_the_name_may_be_typed_in_any_case_and_width(bench: AccountBench) -> None:
    await bench.set_up()
    person, _ = await bench.accounts.logins.login(" ＷＡＮＧ ", GOOD_PASSWORD, HERE)
    assert person.name == "wang"


async def test_a_guesser_waits_and_is_told_how_long(bench: AccountBench) -> None:
    await bench.set_up()
    for caller, free in ((HERE, 5), (ELSEWHERE, 3)):
        for _ in range(free):
            await fault_of(bench, "wang", "not the password", caller)
        refused = await fault_of(bench, "wang", GOOD_PASSWORD, caller)
        assert (refused.fault, refused.wait_s) == (AccountFault.WAIT, 2)
    await bench.clock.advance(2.0)
    await bench.accounts.logins.login("wang", GOOD_PASSWORD, ELSEWHERE)
    await fault_of(bench, "wang", "not the password")


async def test_200_addresses_that_guess_for_an_hour_keep_the_supervisor_out_of_nothing(bench: AccountBench) -> None:
    """Every ten seconds each guesses as soon as it may; the supervisor logs in all the while from their own workplace,
    and from a new phone. The chain holds ten failures a minute."""
    await bench.set_up()
    await bench.add("li", Role.SUPERVISOR)
    await bench.accounts.logins.login("li", OTHER_PASSWORD, HERE)
    guesses, due_s = 0, [0] * 200
    for second in range(0, 3600, 10):
        for n in range(200):
            if due_s[n] <= second:
                error = await fault_of(bench, "li", "a guess of many", Caller(f"198.51.100.{n}"))
                guesses += error.fault is AccountFault.WRONG_LOGIN
                due_s[n] = second + error.wait_s
        if second % 300 == 0:
            await bench.accounts.logins.login("li", OTHER_PASSWORD, HERE)
            await bench.accounts.logins.login("li", OTHER_PASSWORD, Caller(f"192.0.2.{second // 300}"))
        await bench.clock.advance(10.0)
    assert guesses <= 14 * 200


async def test_a_browser_that_has_logged_in_is_not_slowed_by_a_guesser_at_its_own_address(bench: AccountBench) -> None:
    await bench.set_up()
    own = Caller(HERE.address, HERE.agent, "t" * 32)
    await bench.accounts.logins.login("wang", GOOD_PASSWORD, own)
    for _ in range(20):
        await fault_of(bench, "wang", "not the password")
    assert (await fault_of(bench, "wang", GOOD_PASSWORD)).fault is AccountFault.WAIT
    await bench.accounts.logins.login("wang", GOOD_PASSWORD, own)


async def test_a_workplace_outlives_a_restart_for_90_days_and_a_wrong_password_makes_none(bench: AccountBench) -> None:
    await bench.set_up()
    await fault_of(bench, "wang", "not the password", ELSEWHERE)

    def free_tries(caller: Caller) -> str:
        workplace = bench.accounts._store.own_workplace("wang", caller.workplaces, bench.clock.now_ns())
        return workplace.partition(":")[0]

    assert (free_tries(HERE), free_tries(ELSEWHERE)) == ("address", "")
    await bench.close()
    bench.open()
    await bench.start()
    assert free_tries(HERE) == "address"
    await bench.clock.advance(90 * 86_400.0 + 1)
    assert free_tries(HERE) == ""


async def test_of_one_login_sixteen_workplaces_are_remembered(bench: AccountBench) -> None:
    await bench.set_up()
    for n in range(20):
        await bench.clock.advance(1.0)
        await bench.accounts.logins.login("wang", GOOD_PASSWORD, Caller(f"10.0.0.{n}"))
    now_ns = bench.clock.now_ns()
    known = [
        n for n in range(20) if bench.accounts._store.own_workplace("wang", Caller(f"10.0.0.{n}").workplaces, now_ns)
    ]
    assert known == list(range(4, 20))


async def test_a_file_of_an_older_release_gets_its_table(bench: AccountBench) -> None:
    await bench.set_up()
    await bench.close()
    with closing(sqlite3.connect(bench.folder / ACCOUNTS_FILE)) as db:
        db.execute("DROP TABLE workplace")
        db.commit()
    bench.open()
    await bench.start()
    await bench.accounts.logins.login("wang", GOOD_PASSWORD, HERE)
    assert bench.accounts._store.own_workplace("wang", HERE.workplaces, bench.clock.now_ns())


async def test_unknown_names_wait_like_known_ones(bench: AccountBench) -> None:
    await bench.set_up()
    for _ in range(5):
        await fault_of(bench, "nobody", "not the password")
    assert (await fault_of(bench, "nobody", "x")).fault is AccountFault.WAIT


@pytest.mark.parametrize(
    ("idle", "used_h", "valid"), [(True, 7.9, True), (True, 8.0, False), (False, 11.9, True), (False, 12.0, False)]
)
async def test_a_login_ends_after_8_idle_hours_or_12_in_all(
    bench: AccountBench, idle: bool, used_h: float, valid: bool
) -> None:
    _, token = await bench.set_up()
    logins, start_ns = bench.accounts.logins, bench.clock.now_ns()
    while not idle and (bench.clock.now_ns() - start_ns) / HOUR_NS < used_h - 1:
        await bench.clock.advance(3600.0)
        found = logins.whose(token)
        assert found is not None
        logins.used(found[0])
        await logins.login("wang", GOOD_PASSWORD, HERE)  # the writer has done what came before
    await bench.clock.advance(used_h * 3600 - (bench.clock.now_ns() - start_ns) / 1e9)
    assert (logins.whose(token) is not None) is valid


async def test_a_clock_that_was_set_back_a_year_ends_the_login(bench: AccountBench) -> None:
    _, token = await bench.set_up()
    bench.clock._epoch_ns -= 365 * 24 * HOUR_NS
    assert bench.accounts.logins.whose(token) is None


async def test_a_logout_ends_the_session_on_the_server(bench: AccountBench) -> None:
    _, token = await bench.set_up()
    await bench.accounts.logins.logout(token, HERE.address)
    await bench.accounts.logins.logout(token, HERE.address)
    assert bench.accounts.logins.whose(token) is None
    assert [event["event"] for event in await bench.events()] == ["first_administrator", "login", "logout"]


async def test_every_login_has_a_new_token_and_a_foreign_one_is_nobodys(bench: AccountBench) -> None:
    _, first = await bench.set_up()
    _, second = await bench.accounts.logins.login("wang", GOOD_PASSWORD, HERE)
    assert first != second
    assert bench.accounts.logins.whose("a token that somebody made up") is None
    assert bench.accounts.logins.whose("") is None


async def test_another_session_of_the_same_person_is_ended_by_its_id_and_nobody_elses(bench: AccountBench) -> None:
    _, first = await bench.set_up()
    _, second = await bench.accounts.logins.login("wang", GOOD_PASSWORD, Caller("10.0.0.9", "Phone"))
    logins = bench.accounts.logins
    phone = next(session for session in logins.of("wang") if session.agent == "Phone")
    await logins.end("li", phone.session_id, BOSS)
    assert logins.whose(second) is not None
    await logins.end("wang", phone.session_id, BOSS)
    assert (logins.whose(second), logins.whose(first) is not None) == (None, True)


async def test_the_oldest_session_beyond_twenty_ends(bench: AccountBench) -> None:
    _, oldest = await bench.set_up()
    for _ in range(MOST_SESSIONS_A_PERSON):
        await bench.clock.advance(1.0)
        await bench.accounts.logins.login("wang", GOOD_PASSWORD, HERE)
    assert len(bench.accounts.logins.of("wang")) == MOST_SESSIONS_A_PERSON
    assert bench.accounts.logins.whose(oldest) is None


async def test_a_flood_of_failures_seals_ten_a_minute_and_the_sum_of_the_rest(bench: AccountBench) -> None:
    await bench.set_up()
    for n in range(30):
        await fault_of(bench, "wang" if n < 3 else f"guess-{n}", "not the password", Caller(f"10.0.0.{n}"))
    failed = [event for event in await bench.events() if event["event"] == "login_failed"]
    assert [event["count"] for event in failed] == [1] * 10
    assert [event["subject"] for event in failed[:4]] == ["wang", "wang", "wang", ""], "no unknown name is sealed"
    await bench.clock.advance(60.0)
    await bench.accounts._ledger.seal_held_back(bench.clock.now_ns())
    failed = [event for event in await bench.events() if event["event"] == "login_failed"]
    assert failed[-1]["count"] == 20


async def test_wrong_codes_and_wrong_passwords_that_were_only_counted_are_sealed_as_what_they_were(
    bench: AccountBench,
) -> None:
    await bench.set_up()
    ledger, kinds = bench.accounts._ledger, (AccountEventKind.LOGIN_FAILED, AccountEventKind.CODE_FAILED)
    for n in range(22):
        await ledger.note_failure(AccountEvent(kinds[n % 2], bench.clock.now_ns(), "", "wang"))
    await bench.clock.advance(60.0)
    await ledger.note_failure(AccountEvent(AccountEventKind.LOGIN_FAILED, bench.clock.now_ns(), "", "wang"))
    await bench.clock.advance(60.0)
    await ledger.seal_held_back(bench.clock.now_ns())
    await ledger.seal_held_back(bench.clock.now_ns())
    counts = Counter[str]()
    for event in await bench.events():
        counts[str(event["event"])] += event["count"]
    assert (counts["login_failed"], counts["code_failed"]) == (12, 11)


async def test_what_a_kill_left_unsealed_is_sealed_at_the_next_start_once(bench: AccountBench) -> None:
    await bench.set_up()
    await bench.events()
    await bench.stop_recorder()
    await bench.accounts.logins.login("wang", GOOD_PASSWORD, HERE)
    bench.close_files()
    for _ in range(2):
        bench.open()
        await bench.start()
        logins = [event for event in await bench.events() if event["event"] == "login"]
        assert len(logins) == 2
        await bench.close()
    bench.open()


async def test_a_login_renews_a_hash_of_older_parameters(tmp_path: Path) -> None:
    bench = AccountBench(tmp_path)
    await bench.start()
    await bench.set_up()
    before = bench.accounts._store.password_hash("wang")
    await bench.close()
    again = AccountBench(tmp_path, Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)))
    await again.start()
    await again.accounts.logins.login("wang", GOOD_PASSWORD, HERE)
    after = again.accounts._store.password_hash("wang")
    assert before is not None
    assert after is not None
    assert ("t=1" in before, "t=2" in after) == (True, True)
    await again.accounts.logins.login("wang", GOOD_PASSWORD, HERE)
    await again.close()
