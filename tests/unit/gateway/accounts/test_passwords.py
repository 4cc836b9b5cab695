import asyncio

import pytest
from argon2 import PasswordHasher, extract_parameters

from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.passwords import MOST_WAITING, Passwords, checked_password
from tests.fakes.account_bench import quick_passwords


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("a1b2c3d4e", AccountFault.TOO_SHORT),
        ("x1y2z3" * 22, AccountFault.TOO_LONG),
        ("zhang.sanfeng", AccountFault.IS_THE_NAME),
        ("Zhang.Sanfeng-2026", AccountFault.IS_THE_NAME),
        ("Password123", AccountFault.TOO_COMMON),
        ("ａｄｍｉｎ１２３４５６", AccountFault.TOO_COMMON),
        ("ababababab", AccountFault.TOO_COMMON),
    ],
)
def test_a_password_that_the_rule_refuses(password: str, fault: AccountFault) -> None:
    with pytest.raises(AccountError) as refused:
        checked_password(password, "zhang.sanfeng")
    assert refused.value.fault is fault


@pytest.mark.parametrize("password", ["a1b2c3d4e5", "x1y2z3" * 21 + "zz", "🏗️🦺👷🧱🚧⚠️🌉🛗", "塔吊要先看风速再吊装"])
def test_a_password_at_the_bounds_or_in_any_script_is_taken(password: str) -> None:
    assert checked_password(password, "zhang")


async def test_the_same_password_typed_on_another_keyboard_fits() -> None:
    passwords = quick_passwords()
    kept = await passwords.hashed(checked_password("①号塔吊ｃｒａｎｅ2", "x"))
    assert await passwords.fits(kept, "1号塔吊crane2")
    assert not await passwords.fits(kept, "2号塔吊crane2")
    passwords.close()


async def test_nobody_has_no_password_and_a_damaged_hash_fits_nothing() -> None:
    passwords = quick_passwords()
    assert not await passwords.fits(None, "nobody has this password")
    assert not await passwords.fits("no hash at all", "nobody has this password")
    passwords.close()


async def test_the_default_is_the_low_memory_profile_of_rfc_9106() -> None:
    passwords = Passwords()
    parameters = extract_parameters(await passwords.hashed("a1b2c3d4e5"))
    assert (parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (3, 65_536, 4)
    passwords.close()


async def test_a_hash_of_other_parameters_is_outdated() -> None:
    old, new = quick_passwords(), Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    kept = await old.hashed("a1b2c3d4e5")
    assert (old.outdated(kept), new.outdated(kept)) == (False, True)
    old.close()
    new.close()


async def test_a_crowd_of_guessers_is_turned_away_and_fills_no_memory() -> None:
    passwords = quick_passwords()
    outcomes = await asyncio.gather(
        *[passwords.fits(None, "x") for _ in range(MOST_WAITING + 5)], return_exceptions=True
    )
    busy = [each for each in outcomes if isinstance(each, AccountError) and each.fault is AccountFault.BUSY]
    assert len(busy) == 5
    assert not await passwords.fits(None, "x"), "and the line is free again"
    passwords.close()
