"""Signing on with the office's account, against a provider on a socket: only what fits opens a login."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey
from sqlalchemy import func, insert, select

from regulator.base.accounts.bindings import Subject, signed_on
from regulator.base.accounts.oidc import MOST_BEGUN, MOST_BEGUN_AN_ADDRESS, SignOn
from regulator.base.accounts.rows import account_by_login
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_of, verify_ledger
from regulator.base.records.tables.people import sign_ons
from regulator.base.settings import DeskSettings, OidcSettings
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskClient, DeskFace
from tests.fakes.oidc_provider import CLIENT, SECRET, OidcProvider, generate

CITY = Scope(Level.CITY, "440100")


@pytest.fixture
def provider(clock: DeskClock) -> Iterator[OidcProvider]:
    with OidcProvider(lambda: clock() // 1_000_000_000) as provider:
        yield provider


@pytest.fixture
def face(tmp_path: Path, database: DeskDatabase, clock: DeskClock, provider: OidcProvider) -> Iterator[DeskFace]:
    """A desk that knows the provider, and one person, `chen`."""
    (tmp_path / "secret").write_text(SECRET + "\n")
    oidc = OidcSettings(issuer=provider.issuer, client_id=CLIENT, secret_file=tmp_path / "secret")
    settings = DeskSettings(database="sqlite://", blobs=str(tmp_path), key_file=tmp_path / "key", oidc=oidc)
    with DeskFace(tmp_path, clock, database=database, settings=settings) as face:
        face.add("chen", "陈工", [(CITY, [Duty.REVIEWER])])
        yield face


def go(client: DeskClient, going_on: str = "/me") -> tuple[httpx.Response, str]:
    """To the provider and back; the desk's answer, and the address that the provider sent the browser to."""
    begun = client.get("/oidc/start", params={"next": going_on})
    assert begun.status_code == 303, begun.text
    back = httpx.get(begun.headers["location"]).headers["location"]
    return client.get(back), back


def test_a_person_who_exists_is_logged_in_once(face: DeskFace, provider: OidcProvider) -> None:
    client = face.client()
    assert "统一账号登录" in client.get("/login").text
    answer, back = go(client, "/documents?kind=closure")
    assert answer.status_code == 200
    assert 'content="0;url=/documents?kind=closure"' in answer.text
    assert "SameSite=strict" in answer.headers["set-cookie"]
    assert "市级 440100 · 研判" in client.get("/").text
    assert face.client().get(back).status_code == 401
    assert client.get(back).status_code == 401
    assert provider.tokens == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another sign-on"},
        {"nonce": None},
        {"iss": "https://elsewhere.example"},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"exp": 1_772_323_100},
        {"exp": None},
    ],
    ids=str,
)
def test_a_token_that_does_not_fit_opens_nothing(
    face: DeskFace, provider: OidcProvider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    client = face.client()
    answer, _ = go(client)
    assert (answer.status_code, "未成功" in answer.text) == (401, True)
    assert "desk_session" not in client.cookies


def test_a_key_that_the_provider_does_not_publish_signs_nothing(face: DeskFace, provider: OidcProvider) -> None:
    provider.key = generate()
    assert go(face.client())[0].status_code == 401


def test_the_client_secret_signs_nothing(face: DeskFace, provider: OidcProvider) -> None:
    provider.algorithm, provider.key = "HS256", OctKey.import_key(SECRET)
    assert go(face.client())[0].status_code == 401


def test_who_has_no_account_or_a_disabled_one_is_told_so(face: DeskFace, provider: OidcProvider) -> None:
    provider.person = "nobody"
    answer, _ = go(face.client())
    assert (answer.status_code, "没有对应账号" in answer.text) == (403, True)
    provider.person = "chen"
    with face.database.reading() as db:
        account = account_by_login(db, "chen")
    assert account is not None
    face.client(Duty.ADMINISTRATOR).submit("/people", f"/people/{account.user_id}/disable")
    assert go(face.client())[0].status_code == 403


def test_the_answer_belongs_to_the_browser_that_asked(face: DeskFace) -> None:
    """Somebody who makes another's browser open his own answer logs nobody in."""
    mine, other = face.client(), face.client()
    begun = mine.get("/oidc/start")
    back = httpx.get(begun.headers["location"]).headers["location"]
    assert other.get(back).status_code == 401


def test_a_state_that_is_unknown_or_stale_is_refused(face: DeskFace, clock: DeskClock) -> None:
    client = face.client()
    assert client.get("/oidc/callback?code=x&state=y").status_code == 401
    assert client.get("/oidc/callback?error=access_denied").status_code == 401
    begun = client.get("/oidc/start")
    back = httpx.get(begun.headers["location"]).headers["location"]
    clock.move(seconds=601)
    assert client.get(back).status_code == 401


def test_sign_ons_that_nobody_ends_are_bounded_and_one_line_takes_no_other_ones_place(
    face: DeskFace, clock: DeskClock
) -> None:
    settings = face.desk.settings.oidc
    assert settings is not None
    sign_on, client = SignOn(settings, face.database), face.client()
    begun = client.get("/oidc/start", params={"next": "/me?" + "x" * 1_500})
    for number in range(MOST_BEGUN_AN_ADDRESS + 5):
        clock.move(seconds=0.01)
        sign_on.begin("http://desk/oidc/callback", "/", f"2001:db8::{number:x}", clock())
    with face.database.reading() as db:
        rows = db.execute(select(sign_ons.c.network, sign_ons.c.going_on)).all()
    assert Counter(row.network for row in rows)["2001:db8::/64"] == MOST_BEGUN_AN_ADDRESS
    assert {row.going_on for row in rows} == {"/"}
    back = httpx.get(begun.headers["location"]).headers["location"]
    assert client.get(back).status_code == 200, "the flood was another's"
    more = [{"state_sha256": str(number), "nonce": "", "verifier": "", "browser_sha256": ""} for number in range(3_000)]
    with face.database.transaction() as db:
        db.execute(insert(sign_ons).values(made_at_ns=clock()), more)
    clock.move(seconds=1)
    assert client.get("/oidc/start").status_code == 303
    with face.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(sign_ons)) == MOST_BEGUN


def test_pkce_ties_the_code_to_this_desk(face: DeskFace, provider: OidcProvider) -> None:
    begun = face.client().get("/oidc/start")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.headers["location"]).query).items()}
    assert len(asked["code_challenge"]) == 43
    back = httpx.get(begun.headers["location"]).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {"code": code, "code_verifier": "guessed", "redirect_uri": asked["redirect_uri"]}
    assert httpx.post(f"{provider.issuer}/token", data=form, auth=(CLIENT, SECRET)).status_code == 400


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example"])
def test_it_leads_nowhere_else(face: DeskFace, wanted: str) -> None:
    answer, _ = go(face.client(), wanted)
    assert 'content="0;url=/"' in answer.text


def test_a_provider_that_is_away_is_said_so(face: DeskFace, provider: OidcProvider) -> None:
    provider.issuer = "http://another.name"
    answer = face.client().get("/oidc/start")
    assert (answer.status_code, "无法访问" in answer.text) == (503, True)


def chain_of(face: DeskFace, login: str) -> list[tuple[str, dict[str, object]]]:
    """Deeds about an account (kind, content); the chain is whole."""
    key = face.desk.key.public
    with face.database.reading() as db:
        account = account_by_login(db, login)
        assert account is not None
        chain = f"account:{account.user_id}"
        verify_ledger(db, chain, {key.key_id: key})
        return [(str(entry.fields["kind"]), dict(entry.fields["content"])) for entry in entries_of(db, chain)]


def whose_page(client: DeskClient) -> bool:
    """Whether the browser is somebody's."""
    return client.get("/me").status_code == 200


def test_the_first_sign_on_binds_and_the_subject_alone_counts_afterwards(
    face: DeskFace, provider: OidcProvider
) -> None:
    provider.claims = {"sub": "office-4711"}
    assert go(face.client())[0].status_code == 200
    kind, content = chain_of(face, "chen")[-2]
    assert (kind, content) == (
        "sign_on_bound",
        {"issuer": provider.issuer, "subject": "office-4711", "login": "chen"},
    )
    provider.person = "chen-married-wang"
    client = face.client()
    assert go(client)[0].status_code == 200
    assert "市级 440100 · 研判" in client.get("/").text
    assert [kind for kind, _ in chain_of(face, "chen")].count("sign_on_bound") == 1


def test_another_subject_of_the_same_name_is_refused_and_noted(face: DeskFace, provider: OidcProvider) -> None:
    assert go(face.client())[0].status_code == 200
    provider.claims = {"sub": "2"}
    client = face.client()
    answer, _ = go(client)
    assert (answer.status_code, "已绑定另一个统一账号" in answer.text) == (403, True)
    assert not whose_page(client)
    assert chain_of(face, "chen")[-1] == ("sign_on_refused", {"issuer": provider.issuer, "subject": "2"})
    provider.claims = {}
    assert go(face.client())[0].status_code == 200


def test_a_bound_person_who_takes_the_name_of_another_stays_who_they_are(
    face: DeskFace, provider: OidcProvider
) -> None:
    face.add("wang", "王工", [(CITY, [Duty.APPROVER])])
    assert go(face.client())[0].status_code == 200
    provider.person = "wang"
    client = face.client()
    assert go(client)[0].status_code == 200
    assert "研判" in client.get("/").text
    assert all(not kind.startswith("sign_on") for kind, _ in chain_of(face, "wang"))


def test_an_administrator_releases_a_binding_and_the_next_sign_on_binds_anew(
    face: DeskFace, provider: OidcProvider
) -> None:
    client, keeper = face.client(), face.client(Duty.ADMINISTRATOR)
    assert go(client)[0].status_code == 200
    assert "已绑定统一账号 1" in keeper.get("/people").text
    with face.database.reading() as db:
        account = account_by_login(db, "chen")
    assert account is not None
    at = f"/people/{account.user_id}/release-binding"
    assert face.client(Duty.REVIEWER).submit("/me", at).status_code == 403
    assert keeper.submit("/people", at).status_code == 303
    assert not whose_page(client)
    assert keeper.submit("/people", at).status_code == 404
    assert chain_of(face, "chen")[-1] == ("sign_on_released", {"issuer": provider.issuer, "subject": "1"})
    provider.claims = {"sub": "2"}
    assert go(face.client())[0].status_code == 200
    provider.claims = {"sub": "1"}
    assert go(face.client())[0].status_code == 403


@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256, "two\nlines"], ids=repr)
def test_a_token_without_a_usable_subject_opens_nothing(
    face: DeskFace, provider: OidcProvider, subject: object
) -> None:
    provider.claims = {"sub": subject}
    assert go(face.client())[0].status_code == 401


def test_two_subjects_at_once_bind_one(face: DeskFace, provider: OidcProvider) -> None:
    askers = [Subject(provider.issuer, f"s-{number}", "chen") for number in range(6)]
    with ThreadPoolExecutor(len(askers)) as threads:
        told = list(threads.map(lambda who: _told(face, who), askers))
    assert sorted(told) == ["bound_to_another"] * 5 + ["chen"]
    assert [kind for kind, _ in chain_of(face, "chen")].count("sign_on_bound") == 1


def _told(face: DeskFace, who: Subject) -> str:
    try:
        return signed_on(face.database, face.desk.ledger, who, face.clock()).login
    except RefusedError as refused:
        return refused.code
