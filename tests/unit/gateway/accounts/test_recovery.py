from pathlib import Path

import pytest

from gateway.accounts.account_store import AccountStore
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.person import Role
from gateway.accounts.recovery import LASTS_NS, RECOVERY_FILE, RecoveryCode, make_recovery_code
from gateway.settings import load
from kit.clock import SystemClock
from sitewarden.__main__ import main
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.account_bench import BOSS, HERE, OTHER_PASSWORD, AccountBench, newcomer
from tests.fakes.field_site import write_site
from tests.fakes.site import NOW_NS


async def test_a_lost_administrator_comes_back_with_a_code_from_the_box_and_it_is_sealed(
    bench: AccountBench, tmp_path: Path
) -> None:
    _, old = await bench.set_up()
    code = make_recovery_code(tmp_path, bench.clock.now_ns())
    person, token = await bench.accounts.set_up(code.lower(), newcomer(password=OTHER_PASSWORD), HERE)
    assert (person.name, person.role, person.must_change) == ("wang", Role.ADMINISTRATOR, False)
    assert (bench.accounts.logins.whose(old), bench.accounts.logins.whose(token) is None) == (None, False)
    await bench.accounts.logins.login("wang", OTHER_PASSWORD, HERE)
    assert [event["event"] for event in await bench.events()][2:4] == ["recovery", "login"]
    with pytest.raises(AccountError) as refused:
        await bench.accounts.set_up(code, newcomer("li"), HERE)
    assert refused.value.fault is AccountFault.ALREADY_SET_UP, "the code works once"


async def test_somebody_disabled_or_new_becomes_an_administrator(bench: AccountBench, tmp_path: Path) -> None:
    await bench.set_up()
    await bench.add("li", Role.VIEWER)
    await bench.accounts.people.disable("li", BOSS)
    for name in ("li", "zhao"):
        code = make_recovery_code(tmp_path, bench.clock.now_ns())
        person, _ = await bench.accounts.set_up(code, newcomer(name), HERE)
        assert (person.name, person.role, person.disabled_at_ns) == (name, Role.ADMINISTRATOR, 0)


async def test_without_a_code_on_the_box_there_is_no_way_back(bench: AccountBench) -> None:
    await bench.set_up()
    with pytest.raises(AccountError) as refused:
        await bench.accounts.set_up(bench.codes[0], newcomer(), HERE)
    assert refused.value.fault is AccountFault.ALREADY_SET_UP


@pytest.mark.parametrize(("age_ns", "waiting"), [(0, True), (LASTS_NS - 1, True), (LASTS_NS, False), (-1, False)])
def test_a_code_lasts_an_hour(tmp_path: Path, age_ns: int, waiting: bool) -> None:
    code = make_recovery_code(tmp_path, NOW_NS)
    kept = RecoveryCode(tmp_path)
    assert kept.waiting(NOW_NS + age_ns) is waiting
    assert kept.matches(code, NOW_NS + age_ns) is waiting


def test_the_fifth_wrong_try_takes_the_code_away(tmp_path: Path) -> None:
    code = make_recovery_code(tmp_path, NOW_NS)
    kept = RecoveryCode(tmp_path)
    assert not any(kept.matches("AAAA-AAAA", NOW_NS) for _ in range(5))
    assert not kept.matches(code, NOW_NS)
    assert not (tmp_path / RECOVERY_FILE).exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"sha256": "", "made_at_ns": "x"}', "\x00"])
def test_a_file_that_is_none_of_ours_opens_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / RECOVERY_FILE).write_text(text)
    kept = RecoveryCode(tmp_path)
    assert not kept.waiting(NOW_NS)
    assert not kept.matches("", NOW_NS)


def test_the_file_holds_no_code_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    code = make_recovery_code(tmp_path, NOW_NS)
    path = tmp_path / RECOVERY_FILE
    assert code.replace("-", "") not in path.read_text().upper()
    assert path.stat().st_mode & 0o077 == 0


def test_the_command_prints_a_code_where_there_are_accounts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = write_site(tmp_path, crane_port=1502, broker_port=1883, web_port=8080, uplinks=[])
    folder = load(site, DRIVERS, UPLINKS, KINDS).storage.folder
    assert main(["accounts", "reset-code", str(site)]) == 1
    assert "accounts.db" in capsys.readouterr().err
    folder.mkdir(parents=True, exist_ok=True)
    AccountStore(folder).close()
    assert main(["accounts", "reset-code", str(site)]) == 0
    code = capsys.readouterr().out.split()[1].rstrip(":")
    assert RecoveryCode(folder).matches(code, SystemClock().now_ns())
