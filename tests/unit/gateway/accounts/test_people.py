import asyncio
from pathlib import Path

import pytest

from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.person import Role
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD, HERE, OTHER_PASSWORD, AccountBench, newcomer


async def test_an_added_person_may_only_look_until_the_password_is_their_own(bench: AccountBench) -> None:
    await bench.set_up()
    person = await bench.accounts.people.add(newcomer("li", Role.SAFETY_OFFICER), BOSS)
    assert (person.role, person.may_do) == (Role.SAFETY_OFFICER, Role.VIEWER)
    person = await bench.accounts.people.change_password("li", OTHER_PASSWORD, BOSS)
    assert person.may_do is Role.SAFETY_OFFICER


async def test_the_password_that_somebody_else_gave_is_not_ones_own(bench: AccountBench) -> None:
    await bench.set_up()
    await bench.accounts.people.add(newcomer("li", Role.SUPERVISOR), BOSS)
    with pytest.raises(AccountError) as refused:
        await bench.accounts.people.change_password("li", GOOD_PASSWORD, BOSS)
    assert refused.value.fault is AccountFault.SAME_AS_BEFORE


@pytest.mark.parametrize("order", ["role", "disable", "password", "own password"])
async def test_what_changes_an_account_ends_its_logins(bench: AccountBench, order: str) -> None:
    await bench.set_up()
    await bench.add("li", Role.SUPERVISOR)
    people, logins = bench.accounts.people, bench.accounts.logins
    _, token = await logins.login("li", OTHER_PASSWORD, HERE)
    assert logins.whose(token) is not None
    if order == "role":
        await people.change_role("li", Role.VIEWER, BOSS)
    elif order == "disable":
        await people.disable("li", BOSS)
    elif order == "password":
        await people.set_password("li", "a third long one", BOSS)
    else:
        await people.change_password("li", "a third long one", BOSS)
    assert logins.whose(token) is None
    assert logins.of("li") == []


async def test_a_disabled_person_is_kept_and_cannot_log_in_until_enabled(bench: AccountBench) -> None:
    await bench.set_up()
    await bench.add("li", Role.SUPERVISOR)
    people, logins = bench.accounts.people, bench.accounts.logins
    disabled = await people.disable("li", BOSS)
    assert disabled.disabled_at_ns == bench.clock.now_ns()
    with pytest.raises(AccountError) as refused:
        await logins.login("li", OTHER_PASSWORD, HERE)
    assert refused.value.fault is AccountFault.WRONG_LOGIN
    assert [person.name for person in people.all()] == ["li", "wang"]
    await people.enable("li", BOSS)
    await logins.login("li", OTHER_PASSWORD, HERE)


async def test_the_last_administrator_stays_one(bench: AccountBench) -> None:
    await bench.set_up()
    people = bench.accounts.people
    for order in (people.disable("wang", BOSS), people.change_role("wang", Role.SAFETY_OFFICER, BOSS)):
        with pytest.raises(AccountError) as refused:
            await order
        assert refused.value.fault is AccountFault.LAST_ADMINISTRATOR
    person = people.find("wang")
    assert person is not None
    assert (person.role, person.disabled_at_ns) == (Role.ADMINISTRATOR, 0)
    assert bench.accounts.logins.of("wang"), "and what was refused ended no login"
    assert [event["event"] for event in await bench.events()] == ["first_administrator", "login"]


async def test_two_administrators_who_disable_each_other_at_once_leave_one(bench: AccountBench) -> None:
    await bench.set_up()
    await bench.add("li", Role.ADMINISTRATOR)
    people = bench.accounts.people
    await asyncio.gather(people.disable("wang", BOSS), people.disable("li", BOSS), return_exceptions=True)
    assert sum(not person.disabled_at_ns for person in people.all()) == 1


@pytest.mark.parametrize("name", ["", "a b", "<b>x</b>", "-li", "x" * 33, "li/../wang", "li\u202e"])
async def test_a_login_name_that_is_refused(bench: AccountBench, name: str) -> None:
    await bench.set_up()
    with pytest.raises(AccountError) as refused:
        await bench.accounts.people.add(newcomer(name), BOSS)
    assert refused.value.fault is AccountFault.BAD_NAME


async def test_a_name_that_differs_only_in_case_or_width_is_taken(bench: AccountBench) -> None:
    await bench.set_up()
    for name in ("WANG", "ｗａｎｇ", " wang "):
        with pytest.raises(AccountError) as refused:
            await bench.accounts.people.add(newcomer(name), BOSS)
        assert refused.value.fault is AccountFault.NAME_TAKEN


@pytest.mark.parametrize("title", ["", "   ", "王\n工", "王\u202e工", "王" * 25])
async def test_a_display_name_that_is_refused(bench: AccountBench, title: str) -> None:
    await bench.set_up()
    wanted = newcomer("li")
    with pytest.raises(AccountError) as refused:
        await bench.accounts.people.add(type(wanted)("li", title, Role.VIEWER, GOOD_PASSWORD), BOSS)
    assert refused.value.fault is AccountFault.BAD_TITLE


async def test_who_did_what_to_whom_is_sealed_without_any_secret(bench: AccountBench, tmp_path: Path) -> None:
    _, token = await bench.set_up()
    await bench.add("li", Role.SUPERVISOR)
    await bench.accounts.people.change_role("li", Role.SAFETY_OFFICER, BOSS)
    _, wall_token = await bench.accounts.walls.give("门卫室电视", BOSS)
    events = await bench.events()
    changed = next(event for event in events if event["event"] == "role_changed")
    assert (changed["user"], changed["subject"], changed["detail"]) == (BOSS.user, "li", "supervisor to safety_officer")
    sealed = b"".join(record.body for record in bench.alerts.all_evidence()).decode()
    for secret in (GOOD_PASSWORD, OTHER_PASSWORD, token, wall_token, "argon2"):
        assert secret not in sealed
    stored = (tmp_path / "accounts.db").read_bytes() + (tmp_path / "accounts.db-wal").read_bytes()
    for secret in (GOOD_PASSWORD, OTHER_PASSWORD, token, wall_token):
        assert secret.encode() not in stored
