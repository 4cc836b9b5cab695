"""Tokens of programs: made once, with scopes and an end, taken back; by the page and by the command line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.account_rows import ACCOUNTS_FILE
from gateway.accounts.account_store import AccountStore
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.token_desk import list_tokens, make_token, take_back_token
from gateway.accounts.tokens import DAY_NS, MOST_DAYS, MOST_IN_FORCE, Draft, TokenScope, Wanted
from gateway.settings import load
from sitewarden.__main__ import main
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD, HERE, AccountBench
from tests.fakes.field_site import write_site
from tests.fakes.site import NOW_NS, until


async def test_a_token_is_kept_as_a_digest_and_ends_after_its_days(bench: AccountBench) -> None:
    await bench.set_up()
    tokens = bench.accounts.tokens
    draft = await tokens.make(Wanted("Prometheus", ["metrics"], 30), BOSS)
    found = tokens.find(draft.secret)
    assert found == draft.token
    assert (found.scopes, found.made_by, found.expires_at_ns) == ({"metrics"}, BOSS.user, NOW_NS + 30 * DAY_NS)
    assert draft.secret.encode() not in (bench.folder / ACCOUNTS_FILE).read_bytes()
    await bench.clock.advance(30 * 86_400.0 - 1)
    assert not tokens.expired(found)
    await bench.clock.advance(1.0)
    assert tokens.expired(found)


async def test_a_token_that_is_taken_back_stays_in_the_list_and_in_the_chain(bench: AccountBench) -> None:
    await bench.set_up()
    tokens = bench.accounts.tokens
    draft = await tokens.make(Wanted("SCADA", ["command", "read"]), BOSS)
    await tokens.revoke(draft.token.token_id, BOSS)
    assert [(token.title, token.revoked_at_ns) for token in tokens.all()] == [("SCADA", bench.clock.now_ns())]
    for token_id in (draft.token.token_id, "token-000000"):
        with pytest.raises(AccountError) as refused:
            await tokens.revoke(token_id, BOSS)
        assert refused.value.fault is AccountFault.NO_SUCH_TOKEN
    events = [(event["event"], event["user"], event["detail"]) for event in await bench.events()]
    assert events[-2:] == [
        ("token_made", BOSS.user, "SCADA: command, read; 90 d"),
        ("token_revoked", BOSS.user, "SCADA"),
    ]


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (Wanted("", ["read"]), AccountFault.BAD_TITLE),
        (Wanted("x", []), AccountFault.BAD_SCOPE),
        (Wanted("x", ["read", "everything"]), AccountFault.BAD_SCOPE),
        (Wanted("x", ["read"], 0), AccountFault.BAD_DAYS),
        (Wanted("x", ["read"], MOST_DAYS + 1), AccountFault.BAD_DAYS),
    ],
    ids=str,
)
async def test_a_token_without_name_scope_or_end_is_refused(
    bench: AccountBench, wanted: Wanted, fault: AccountFault
) -> None:
    with pytest.raises(AccountError) as refused:
        await bench.accounts.tokens.make(wanted, BOSS)
    assert refused.value.fault is fault
    assert bench.accounts.tokens.all() == []


async def test_there_are_at_most_a_hundred_in_force(bench: AccountBench) -> None:
    tokens = bench.accounts.tokens
    drafts = [await tokens.make(Wanted("x", ["read"], 1), BOSS) for _ in range(MOST_IN_FORCE)]
    with pytest.raises(AccountError) as refused:
        await tokens.make(Wanted("x", ["read"]), BOSS)
    assert refused.value.fault is AccountFault.TOO_MANY_TOKENS
    await tokens.revoke(drafts[0].token.token_id, BOSS)
    await tokens.make(Wanted("x", ["read"]), BOSS)


async def test_when_it_was_last_used_is_kept_and_a_clock_that_is_set_back_revives_none(bench: AccountBench) -> None:
    await bench.set_up()
    tokens = bench.accounts.tokens
    draft = await tokens.make(Wanted("x", ["read"], 1), BOSS)
    await bench.clock.advance(86_400.0)
    tokens.used(draft.token)
    await bench.accounts.logins.login("wang", GOOD_PASSWORD, HERE)  # the writer has done what came before
    bench.clock._epoch_ns -= 10 * DAY_NS
    found = tokens.find(draft.secret)
    assert found is not None
    assert found.seen_at_ns == NOW_NS + DAY_NS
    assert tokens.expired(found)


async def test_a_session_a_wall_and_a_token_are_three_things(bench: AccountBench) -> None:
    _, session = await bench.set_up()
    _, wall = await bench.accounts.walls.give("TV", BOSS)
    secret = (await bench.accounts.tokens.make(Wanted("x", [*TokenScope]), BOSS)).secret
    assert [bench.accounts.tokens.find(each) for each in (session, wall, "", "swt_")] == [None] * 4
    assert bench.accounts.logins.whose(secret) is None
    assert bench.accounts.walls.whose(secret) is None


async def test_a_wall_screen_may_have_an_end(bench: AccountBench) -> None:
    walls = bench.accounts.walls
    wall, token = await walls.give("开放日", BOSS, days=2)
    assert walls.whose(token) == wall
    await bench.clock.advance(2 * 86_400.0)
    assert walls.whose(token) is None
    assert [each.expired(bench.clock.now_ns()) for each in walls.all()] == [True]
    with pytest.raises(AccountError) as refused:
        await walls.give("开放日", BOSS, days=-1)
    assert refused.value.fault is AccountFault.BAD_WALL_DAYS


async def test_what_the_command_line_does_beside_a_running_box_counts_at_once_and_is_sealed_once(
    bench: AccountBench,
) -> None:
    await bench.set_up()
    draft = make_token(bench.folder, Wanted("Grafana", ["read"]), bench.clock.now_ns(), lambda _draft: None)
    found = bench.accounts.tokens.find(draft.secret)
    assert found == draft.token
    await bench.clock.advance(1.0)
    take_back_token(bench.folder, found.token_id, bench.clock.now_ns())
    for _ in range(3):
        await bench.accounts._ledger.seal_left_over()
    made_and_revoked = [event for event in await bench.events() if event["event"].startswith("token")]
    assert [(event["event"], event["user"]) for event in made_and_revoked] == [
        ("token_made", "console"),
        ("token_revoked", "console"),
    ]
    await until(lambda: bench.accounts._store.unsealed() == [])


def test_a_token_that_cannot_be_written_down_is_not_made(tmp_path: Path) -> None:
    bench = AccountBench(tmp_path)

    def full_stick(draft: Draft) -> None:
        raise OSError(28, "No space left on device", draft.token.title)

    with pytest.raises(OSError, match="No space left"):
        make_token(tmp_path, Wanted("x", ["read"]), NOW_NS, full_stick)
    assert list_tokens(tmp_path) == []
    assert bench.accounts._store.unsealed() == []
    bench.close_files()


def test_the_command_line_makes_lists_and_takes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = str(write_site(tmp_path, crane_port=1502, broker_port=1883, web_port=8080, uplinks=[]))
    folder = load(site, DRIVERS, UPLINKS, KINDS).storage.folder

    def told(*words: str) -> dict[str, Any]:
        assert main(["accounts", *words]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    assert main(["accounts", "tokens", site]) == 1
    assert "accounts.db" in capsys.readouterr().err
    folder.mkdir(parents=True, exist_ok=True)
    AccountStore(folder).close()
    stick = tmp_path / "prometheus.token"
    made = told("make-token", site, "--title", "Prom", "--scope", "metrics", "--scope", "read", "--to", str(stick))
    assert stick.stat().st_mode & 0o077 == 0
    store = AccountStore(folder)
    found = store.token(stick.read_text(encoding="utf-8").strip())
    store.close()
    assert found is not None
    assert (found.token_id, found.made_by) == (made["token_id"], "console")
    line = told("tokens", site)
    assert (line["scopes"], line["state"], line["last_used"]) == (["metrics", "read"], "in_force", "")
    assert told("revoke-token", site, found.token_id)["revoked"] is True
    assert told("tokens", site)["state"] == "revoked"
    assert main(["accounts", "revoke-token", site, found.token_id]) == 1
    assert "no such token" in capsys.readouterr().err
    assert main(["accounts", "make-token", site, "--title", "x", "--scope", "read", "--days", "401"]) == 1
    assert "--days: 1 to 400" in capsys.readouterr().err
    assert told("make-token", site, "--title", "x", "--scope", "reload", "--days", "1")["token"].startswith("swt_")


def test_a_file_of_an_older_release_has_no_token(tmp_path: Path) -> None:
    AccountBench(tmp_path).close_files()
    with closing(sqlite3.connect(tmp_path / ACCOUNTS_FILE)) as db:
        db.execute("DROP TABLE token")
        db.commit()
    assert list_tokens(tmp_path) == []
    make_token(tmp_path, Wanted("x", ["read"]), NOW_NS, lambda _draft: None)
    assert json.dumps([token.title for token in list_tokens(tmp_path)]) == '["x"]'
