"""Tokens of programs at the door: every scope at every kind of route, the reasons of refusals, and the page."""

import json
import re
from pathlib import Path

import pytest

from gateway.accounts.person import Role
from gateway.accounts.tokens import DAY_NS, TokenScope, Wanted
from gateway.web.account_visitors import Policy
from gateway.web.token_scopes import role_of, scopes_for
from tests.fakes.account_bench import BOSS
from tests.fakes.account_face import AccountFace
from tests.fakes.site import until

JSON = {"accept": "application/json"}
OPENS = {
    ("GET", "/metrics"): {"metrics", "read"},
    ("HEAD", "/metrics"): {"metrics", "read"},
    ("GET", "/api/alarms"): {"read"},
    ("GET", "/api/events"): {"read"},
    ("GET", "/api/openapi.json"): {"read"},
    ("GET", "/alarms/history.csv"): {"read"},
    ("GET", "/"): {"read"},
    ("GET", "/audit.csv"): {"read", "audit"},
    ("GET", "/audit"): {"read", "audit"},
    ("POST", "/api/pits/pit-1/readings"): {"readings"},
    ("POST", "/api/pits/pit-1/baselines"): {"command"},
    ("POST", "/api/cranes/crane-1/tilt_baseline"): {"command"},
    ("POST", "/api/alarms/alarm-1/acknowledge"): {"command"},
    ("POST", "/api/alarms/alarm-1/note"): {"command"},
    ("POST", "/api/alarms/alarm-1/shelve"): {"command"},
    ("POST", "/api/alarms/alarm-1/unshelve"): {"command"},
    ("POST", "/api/alarms/alarm-1/reset"): {"command"},
    ("POST", "/api/alarms/alarm-1/false_alarm"): {"command"},
    ("POST", "/api/alarms/alarm-1/withdraw_judgement"): {"command"},
    ("POST", "/api/alarms/alarm-1/hand_over"): {"command"},
    ("POST", "/api/subjects/host-1/out_of_service"): {"command"},
    ("POST", "/api/subjects/host-1/in_service"): {"command"},
    ("POST", "/api/reload"): {"reload"},
    ("POST", "/api/something/new"): set(),
    ("POST", "/api/alarms/alarm-1/delete"): set(),
    ("POST", "/api/alarms/a/b/acknowledge"): set(),
    ("POST", "/alarms/alarm-1/acknowledge"): set(),
    ("POST", "/people"): set(),
    ("POST", "/tokens"): set(),
    ("POST", "/tokens/token-1/revoke"): set(),
    ("POST", "/walls"): set(),
    ("POST", "/me/password"): set(),
    ("POST", "/log/2026-03-01/sign"): set(),
    ("POST", "/metrics"): set(),
    ("PUT", "/api/reload"): set(),
    ("DELETE", "/api/alarms"): set(),
}
"""What the table of scopes is to say, written down a second time."""
FOR_PEOPLE = ("/people", "/walls", "/tokens")
"""Pages of administrators."""


@pytest.mark.parametrize("scope", list(TokenScope))
@pytest.mark.parametrize("request_", OPENS, ids=" ".join)
def test_each_scope_opens_its_own_and_nothing_else(scope: TokenScope, request_: tuple[str, str]) -> None:
    assert (role_of([scope], *request_) > Role.NOBODY) == (scope in OPENS[request_])


def test_several_scopes_open_what_each_of_them_opens() -> None:
    both = ["metrics", "reload"]
    assert role_of(both, "GET", "/metrics") is Role.VIEWER
    assert role_of(both, "POST", "/api/reload") is Role.ADMINISTRATOR
    assert role_of(both, "GET", "/api/alarms") is Role.NOBODY
    assert scopes_for("GET", "/audit.csv", Role.SAFETY_OFFICER) == ["audit"]


async def secret_of(face: AccountFace, *scopes: str) -> str:
    return (await face.accounts.tokens.make(Wanted("Grafana", scopes), BOSS)).secret


@pytest.mark.parametrize("scope", list(TokenScope))
async def test_a_program_meets_its_scope_at_the_door(guarded: AccountFace, scope: TokenScope) -> None:
    """Through the whole face: what the scope opens is answered by the route, all else is refused with the reason."""
    await guarded.set_up()
    alarm_id = await guarded.raised()
    headers = JSON | {"authorization": f"Bearer {await secret_of(guarded, scope)}"}
    client = guarded.browser("192.168.1.77", "https://127.0.0.1:8080").client
    for (method, path), scopes in OPENS.items():
        if path == "/api/events" or method not in ("GET", "POST"):
            continue
        body = {"user": "x", "reason": "到场", "for_s": 60, "cause": "device_fault"}
        parts = {} if method == "GET" else {"json": body} if path.startswith("/api/") else {"data": {"csrf": "x"}}
        reply = await client.request(method, path.replace("alarm-1", alarm_id), headers=headers, **parts)
        if (method, path) == ("POST", "/metrics"):
            assert (reply.status_code, reply.headers["allow"]) == (405, "GET")
        elif scope in scopes and (scope, path.removesuffix(".csv")) != ("read", "/audit"):
            assert reply.status_code in (200, 404, 409, 422), f"{method} {path}: {reply.text[:300]}"
        else:
            code = reply.json()["error"]["code"]
            assert (reply.status_code, code) == (403, "outside_scope"), f"{method} {path}: {reply.text[:300]}"
    for path in FOR_PEOPLE:
        assert (await client.get(path, headers=headers)).status_code == 403


async def test_a_record_says_who_and_through_which_program(guarded: AccountFace) -> None:
    await guarded.set_up()
    headers = {"authorization": f"Bearer {await secret_of(guarded, 'command')}"}
    body = {"user": "李工", "reason": "维修", "for_s": 60}
    reply = await guarded.browser().client.post("/api/subjects/host-1/out_of_service", json=body, headers=headers)
    assert reply.status_code == 200, reply.text
    record = guarded.site.alerts.evidence_of("service:host-1")[-1]
    assert json.loads(record.body)["content"]["user"] == "李工 (Grafana)"


async def test_an_expired_a_revoked_and_an_unknown_token_are_told_apart(guarded: AccountFace) -> None:
    await guarded.set_up()
    client, tokens = guarded.browser("192.168.1.77").client, guarded.accounts.tokens
    ended = await tokens.make(Wanted("一天", ["read"], 1), BOSS)
    gone = await tokens.make(Wanted("收回", ["read"]), BOSS)
    await tokens.revoke(gone.token.token_id, BOSS)

    async def answer(secret: str) -> tuple[int, str]:
        reply = await client.get("/api/alarms", headers=JSON | {"authorization": f"Bearer {secret}"})
        return reply.status_code, reply.json().get("error", {}).get("code", "")

    assert await answer(ended.secret) == (200, "")
    await guarded.site.clock.advance(DAY_NS / 1e9)
    assert await answer(ended.secret) == (401, "token_expired")
    assert await answer(gone.secret) == (401, "token_revoked")
    assert await answer("swt_made-up") == (401, "token_unknown")
    assert await answer("made-up") == (401, "login_needed")


async def test_a_feed_that_is_open_ends_with_its_token(guarded: AccountFace) -> None:
    await guarded.set_up()
    draft = await guarded.accounts.tokens.make(Wanted("看板", ["read"]), BOSS)
    headers = {"authorization": f"Bearer {draft.secret}"}
    client = guarded.browser("192.168.1.77").client
    assert (await client.get("/api/live", headers=headers)).status_code == 200
    await guarded.accounts.tokens.revoke(draft.token.token_id, BOSS)
    assert (await client.get("/api/live", headers=headers)).status_code == 401


PLAIN = "http://192.168.1.10:8080"


@pytest.mark.parametrize(
    ("address", "base", "switched_on", "refused"),
    [
        ("192.168.1.55", PLAIN, False, True),
        ("192.168.1.55", PLAIN, True, False),
        ("192.168.1.55", PLAIN.replace("http", "https"), False, False),
        ("127.0.0.1", "http://127.0.0.1:8080", False, False),
    ],
)
@pytest.mark.parametrize("scope", list(TokenScope))
async def test_a_token_that_commands_is_refused_over_an_open_network(
    tmp_path: Path, scope: TokenScope, address: str, base: str, switched_on: bool, refused: bool
) -> None:
    """For whatever it asks: what it may do is in the token, and others could read it."""
    face = AccountFace(tmp_path, Policy(token=None, loopback=False, commands_over_plain_http=switched_on))
    await face.start()
    try:
        await face.set_up()
        headers = JSON | {"authorization": f"Bearer {await secret_of(face, scope, 'read')}"}
        client = face.browser(address, base).client
        body = {"user": "scada", "reason": "维修", "for_s": 60}
        answers = [
            await client.get("/api/alarms", headers=headers),
            await client.post("/api/subjects/host-1/out_of_service", json=body, headers=headers),
        ]
        codes = [reply.json().get("error", {}).get("code", "") for reply in answers]
        beyond = "" if scope is TokenScope.COMMAND else "outside_scope"
        commands = scope in (TokenScope.COMMAND, TokenScope.RELOAD)
        assert codes == (["plain_http", "plain_http"] if refused and commands else ["", beyond])
    finally:
        await face.close()


async def test_a_token_logs_nobody_in_over_plain_http(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A program may read in plain HTTP; a person behind it may not log in there."""
    face = AccountFace(tmp_path_factory.mktemp("box"), Policy(token=None, loopback=False))
    await face.start()
    try:
        await face.set_up()
        headers = {"authorization": f"Bearer {await secret_of(face, 'read', 'metrics')}"}
        browser = face.browser("192.168.1.55", PLAIN)
        reply = await browser.post("/login", {"name": "wang", "password": "x"}, **headers)
        assert (reply.status_code, "本页未加密" in reply.text) == (403, True)
    finally:
        await face.close()


async def test_the_token_of_the_site_file_only_reads_and_says_what_to_do(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    face = AccountFace(tmp_path_factory.mktemp("box"), Policy(token="machine-token", loopback=False))
    await face.start()
    try:
        headers = JSON | {"authorization": "Bearer machine-token"}
        client = face.browser("192.168.1.55", PLAIN).client
        for path in ("/metrics", "/api/alarms"):
            assert (await client.get(path, headers=headers)).status_code == 200
        reply = await client.post("/api/subjects/host-1/in_service", json={}, headers=headers)
        assert reply.status_code == 403
        assert "accounts make-token" in reply.json()["error"]["message_en"]
    finally:
        await face.close()


async def test_the_page_makes_a_token_shows_it_once_and_takes_it_back(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    assert 'href="/tokens"' in (await boss.get("/people")).text
    fields = {"title": "<b>Prometheus", "scope_metrics": "1", "days": "30"}
    page = (await boss.submit("/tokens", "/tokens", **fields)).text
    found = re.search(r'value="(swt_[^"]+)"', page)
    assert found is not None
    assert "&lt;b&gt;Prometheus" in page
    (token,) = guarded.accounts.tokens.all()
    assert (token.scopes, token.made_by) == ({"metrics"}, "王工 (wang)")
    program = guarded.browser("192.168.1.77").client
    headers = JSON | {"authorization": f"Bearer {found[1]}"}
    assert (await program.get("/metrics", headers=headers)).status_code == 200
    page = (await boss.get("/tokens")).text
    assert found[1] not in page
    assert "读取 Prometheus 指标" in page
    reply = await boss.submit("/tokens", f"/tokens/{token.token_id}/revoke")
    assert reply.headers["location"] == "/tokens?done=token_revoked"
    assert (await program.get("/metrics", headers=headers)).status_code == 401
    await until(lambda: guarded.site.recorder.last_in_line() is None)
    assert "撤销程序令牌" in (await boss.get("/audit")).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": "x", "days": "30"}, "请勾选令牌的权限"),
        ({"title": "", "days": "30", "scope_read": "1"}, "1 至 24"),
        ({"title": "x", "days": "", "scope_read": "1"}, "1 至 400 天"),
        ({"title": "x", "days": "401", "scope_read": "1"}, "1 至 400 天"),
        ({"title": "x", "days": "٣", "scope_read": "1"}, "1 至 400 天"),
    ],
)
async def test_what_was_typed_wrong_is_said_and_kept(guarded: AccountFace, fields: dict[str, str], words: str) -> None:
    boss = await guarded.set_up()
    reply = await boss.submit("/tokens", "/tokens", **fields)
    assert reply.status_code == 422
    assert words in reply.text, re.findall(r'role="alert">([^<]*)', reply.text)
    assert ("checked" in reply.text) == ("scope_read" in fields)
    assert guarded.accounts.tokens.all() == []


@pytest.mark.parametrize(("days", "status"), [("", 200), ("7", 200), ("0", 422), ("x", 422), ("3661", 422)])
async def test_a_wall_screen_may_be_given_an_end(guarded: AccountFace, days: str, status: int) -> None:
    boss = await guarded.set_up()
    reply = await boss.submit("/walls", "/walls", title="门卫室", days=days)
    assert reply.status_code == status
    assert ("可查看至" in reply.text) == (days == "7")
