import re
from pathlib import Path

import pytest

from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.person import Role
from gateway.accounts.seats import Caller
from gateway.accounts.setup_code import SetupCode
from tests.fakes.account_bench import HERE, AccountBench, newcomer


async def test_the_code_of_the_console_makes_the_first_administrator_once(bench: AccountBench) -> None:
    (code,) = bench.codes
    assert re.fullmatch(r"[A-HJKMNP-TV-Z2-9]{4}-[A-HJKMNP-TV-Z2-9]{4}", code)
    person, token = await bench.accounts.set_up(code.lower().replace("-", " "), newcomer(), HERE)
    assert (person.name, person.role, person.must_change) == ("wang", Role.ADMINISTRATOR, False)
    found = bench.accounts.logins.whose(token)
    assert found is not None
    assert found[1] == person
    with pytest.raises(AccountError) as refused:
        await bench.accounts.set_up(code, newcomer("li"), HERE)
    assert refused.value.fault is AccountFault.ALREADY_SET_UP
    assert [event["event"] for event in await bench.events()] == ["first_administrator", "login"]


async def test_no_code_is_announced_once_there_is_an_account(bench: AccountBench) -> None:
    await bench.set_up()
    await bench.close()
    bench.open()
    await bench.start()
    assert len(bench.codes) == 1


async def test_every_start_without_accounts_has_a_code_of_its_own(bench: AccountBench) -> None:
    await bench.close()
    bench.open()
    await bench.start()
    first, second = bench.codes
    assert first != second
    with pytest.raises(AccountError):
        await bench.accounts.set_up(first, newcomer(), HERE)


def test_the_fifth_wrong_try_makes_a_new_code() -> None:
    codes: list[str] = []
    code = SetupCode(codes.append)
    code.renew()
    assert not any(code.matches("WRNG-WRNG") for _ in range(4))
    assert code.matches(codes[0])
    assert not code.matches("WRNG-WRNG")
    assert len(codes) == 2
    assert not code.matches(codes[0])
    assert code.matches(codes[1])


def test_a_spent_code_and_one_never_made_match_nothing() -> None:
    codes: list[str] = []
    code = SetupCode(codes.append)
    assert not code.matches("")
    code.renew()
    code.spend()
    assert not code.matches(codes[0])
    assert not code.matches("")


async def test_a_bad_password_does_not_spend_the_code(bench: AccountBench) -> None:
    with pytest.raises(AccountError) as refused:
        await bench.accounts.set_up(bench.codes[0], newcomer(password="short"), HERE)
    assert refused.value.fault is AccountFault.TOO_SHORT
    await bench.set_up()


async def test_whoever_guesses_codes_must_wait_and_others_need_not(bench: AccountBench) -> None:
    faults = []
    for _ in range(25):
        with pytest.raises(AccountError) as refused:
            await bench.accounts.set_up("AAAA-AAAA", newcomer(), HERE)
        faults.append(refused.value.fault)
    assert faults == [AccountFault.WRONG_CODE] * 20 + [AccountFault.WAIT] * 5
    await bench.accounts.set_up(bench.codes[-1], newcomer(), Caller("127.0.0.1"))


async def test_the_file_is_for_its_owner_alone(bench: AccountBench, tmp_path: Path) -> None:
    assert (tmp_path / "accounts.db").stat().st_mode & 0o077 == 0
