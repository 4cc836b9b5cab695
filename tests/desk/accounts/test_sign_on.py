"""Signing on with the office's account, against a provider on a socket: only what fits opens a login."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey

from regulator.accounts.rows import account_by_login
from regulator.model.actor import Duty, Level, Scope
from regulator.records.engine import DeskDatabase
from regulator.settings import DeskSettings, OidcSettings
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
