"""Signing on with an office's account by OpenID Connect: authorization code with PKCE (S256), state and nonce.

    begin    -> the provider's address; state, nonce and verifier are kept here, once
    finish   <- code and state: exchanged for an ID token, whose signature, issuer, audience, time and nonce must fit
             -> who the provider says it is: `bindings` knows the account; nobody is made by signing on

In: settings and requests. Out: a subject. Raises RefusedError; why exactly is logged, not told to whoever tries.
"""

import logging
import secrets
import threading
from dataclasses import dataclass
from typing import Any, Final

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry, decode
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, true

from regulator.base.accounts.bindings import MOST_SUBJECT_CHARACTERS, Subject
from regulator.base.accounts.model import SECOND_NS
from regulator.base.accounts.sessions import digest_of, normal_login
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.people import sign_ons
from regulator.base.settings import OidcSettings
from screens.guessing import network_of

log = logging.getLogger(__name__)
KEEP_NS: Final = 600 * SECOND_NS
MOST_BEGUN: Final = 2_000
MOST_BEGUN_AN_ADDRESS: Final = 40
"""A whole office may come from one address. Beyond these the oldest gives way, first of the same address."""
MOST_PATH_CHARACTERS: Final = 1_000
TIMEOUT_S: Final = 10.0
LEEWAY_S: Final = 60
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Asymmetric only: the client secret never signs, and `none` is no signature."""
REFUSED: Final = RefusedError(401, "sign_on_failed", "统一登录未成功，请重试", "the sign-on did not succeed: try again")
AWAY: Final = RefusedError(503, "provider_away", "统一登录服务无法访问", "the sign-on service cannot be reached")


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it must bring back in a cookie of its own."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back with the browser."""

    code: str
    state: str
    browser: str


class SignOn:
    """One provider. `callback`: the address of this desk that the provider sends browsers to. Thread-safe."""

    def __init__(self, settings: OidcSettings, database: DeskDatabase) -> None:
        self._settings = settings
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}

    def begin(self, callback: str, going_on: str, address: str, now_ns: int) -> Begun:
        """`address`: of the browser. Raises RefusedError 503 when the provider cannot be reached."""
        provider = self._provider()
        state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
        row = {"state_sha256": digest_of(state), "nonce": nonce, "verifier": verifier}
        row |= {"browser_sha256": digest_of(browser), "network": network_of(address)}
        row |= {"going_on": going_on if len(going_on) <= MOST_PATH_CHARACTERS else "/"}
        with self._database.transaction() as db:
            db.execute(delete(sign_ons).where(sign_ons.c.made_at_ns < now_ns - KEEP_NS))
            db.execute(insert(sign_ons).values(**row, made_at_ns=now_ns))
            _keep_newest(db, sign_ons.c.network == row["network"], MOST_BEGUN_AN_ADDRESS)
            _keep_newest(db, true(), MOST_BEGUN)
        address = prepare_grant_uri(
            provider["authorization_endpoint"],
            self._settings.client_id,
            "code",
            redirect_uri=callback,
            scope="openid profile",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Begun(str(address), browser)

    def finish(self, returned: Returned, callback: str, now_ns: int) -> tuple[Subject, str]:
        """Who it is and where they were going. Raises RefusedError: 401 anything does not fit, 503."""
        with self._database.transaction() as db:
            kept = _taken(db, returned, now_ns)
        token = self._exchange(returned.code, kept.verifier, callback)
        claims = self._checked(token, kept.nonce, now_ns)
        login = normal_login(str(claims.get(self._settings.claim) or ""))
        return Subject(self._settings.issuer, _subject_in(claims), login), kept.going_on

    def _exchange(self, code: str, verifier: str, callback: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier}
        secret = self._settings.secret_file.read_text().strip()
        answer = _asked("POST", self._provider()["token_endpoint"], data=form, auth=(self._settings.client_id, secret))
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("the provider gave no id_token")
        return token

    def _checked(self, token: str, nonce: str, now_ns: int) -> dict[str, Any]:
        must = JWTClaimsRegistry(
            now_ns // SECOND_NS,
            LEEWAY_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
        )
        try:
            claims = decode(token, self._keys(), ALGORITHMS).claims
            must.validate(claims)
        except (JoseError, ValueError) as error:
            raise _refused(f"the id_token does not hold: {error}") from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._settings.client_id:
            raise _refused("the id_token was made for another client")
        return dict(claims)

    def _provider(self) -> Any:
        """The provider's own description, asked once. Its issuer must be the one that the settings name."""
        with self._lock:
            if not self._known:
                issuer = self._settings.issuer
                known = _asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                if known.get("issuer") != issuer:
                    log.error("sign-on: the provider's issuer is %r, expected %r", known.get("issuer"), issuer)
                    raise AWAY
                self._known = known
            return self._known

    def _keys(self) -> KeySet:
        """Asked at every sign-on: a provider changes its keys when it wants."""
        known = _asked("GET", self._provider()["jwks_uri"])
        try:
            return KeySet.import_key_set({"keys": known["keys"]})
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise _refused(f"the provider's keys cannot be read: {error}") from error


def _keep_newest(db: Connection, which: ColumnElement[bool], most: int) -> None:
    """Of so many rows the oldest go."""
    beyond = (db.scalar(select(func.count()).select_from(sign_ons).where(which)) or 0) - most
    if beyond > 0:
        at = sign_ons.c
        oldest = select(at.state_sha256).where(which).order_by(at.made_at_ns, at.state_sha256).limit(beyond)
        db.execute(delete(sign_ons).where(at.state_sha256.in_(oldest.scalar_subquery())))


def _subject_in(claims: dict[str, Any]) -> str:
    subject = claims["sub"]
    if isinstance(subject, str) and 0 < len(subject) <= MOST_SUBJECT_CHARACTERS and subject.isprintable():
        return subject
    raise _refused("the id_token's sub is no text of 1 to 255 characters")


@dataclass(frozen=True, slots=True)
class _Kept:
    nonce: str
    verifier: str
    going_on: str


def _taken(db: Connection, returned: Returned, now_ns: int) -> _Kept:
    """What was kept of this sign-on; gone afterwards, whatever becomes of it."""
    one = sign_ons.c.state_sha256 == digest_of(returned.state)
    row = db.execute(select(sign_ons).where(one).with_for_update()).first()
    usable = row is not None and row.made_at_ns >= now_ns - KEEP_NS
    if row is None or not usable or not secrets.compare_digest(row.browser_sha256, digest_of(returned.browser)):
        raise _refused("an unknown, used or stale state, or another browser's")
    db.execute(delete(sign_ons).where(one))
    return _Kept(row.nonce, row.verifier, row.going_on)


def _asked(method: str, address: str, **more: Any) -> dict[str, Any]:
    """A JSON object from the provider. Raises RefusedError: 503 unreachable, 401 refused."""
    try:
        answer = httpx.request(method, address, timeout=TIMEOUT_S, follow_redirects=False, **more)
    except httpx.HTTPError as error:
        log.warning("sign-on: the provider cannot be reached: %s", error)
        raise AWAY from error
    if answer.status_code >= 500:
        raise AWAY
    try:
        body = answer.json()
    except ValueError:
        body = None
    if answer.status_code != 200 or not isinstance(body, dict):
        raise _refused(f"{address} answered {answer.status_code}")
    return body


def _refused(why: str) -> RefusedError:
    log.warning("sign-on refused: %s", why)
    return REFUSED
