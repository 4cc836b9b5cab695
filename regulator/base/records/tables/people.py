"""Accounts, what they may do where, who stands in for whom, and logins.

Accounts, grants and delegations are records: they end, and are never deleted. Sessions, waiting times and sign-ons on
their way are not: what was done to them is in the ledger's chain `account:<user_id>`.
"""

from sqlalchemy import Index, Table, UniqueConstraint

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

accounts = Table(
    "accounts",
    METADATA,
    text("user_id", key=True),
    text("login", default=None),
    text("name", default=None),
    text("password_hash"),
    flag("must_change"),
    text("home_level", default=None),
    text("home_code"),
    moment("made_at_ns"),
    moment("disabled_at_ns"),
    UniqueConstraint("login"),
)
"""`password_hash` empty: signs on elsewhere (OIDC) only. `home_*`: the scope whose administrators keep the account."""

grants = Table(
    "grants",
    METADATA,
    text("grant_id", key=True),
    text("user_id", default=None),
    text("level", default=None),
    text("scope_code"),
    text("duties", default=None),
    text("proposed_by", default=None),
    moment("proposed_at_ns"),
    text("decided_by"),
    moment("approved_at_ns"),
    moment("rejected_at_ns"),
    moment("revoked_at_ns"),
    text("revoked_by"),
    Index("ix_grants_by_user", "user_id"),
)
"""`duties` and `proposed_by` (the persons whose hand it was): JSON lists. In force: approved and not revoked."""

delegations = Table(
    "delegations",
    METADATA,
    text("delegation_id", key=True),
    text("grant_id", default=None),
    text("from_user", default=None),
    text("to_user", default=None),
    text("reason", default=None),
    moment("from_ns"),
    moment("until_ns"),
    moment("made_at_ns"),
    moment("ended_at_ns"),
    Index("ix_delegations_by_user", "to_user", "until_ns"),
    Index("ix_delegations_by_giver", "from_user"),
)
"""`ended_at_ns`: taken back before `until_ns`."""

sessions = Table(
    "sessions",
    METADATA,
    text("token_sha256", key=True),
    text("session_id", default=None),
    text("user_id", default=None),
    text("seat"),
    moment("made_at_ns"),
    moment("seen_at_ns"),
    moment("ended_at_ns"),
    text("address"),
    text("agent"),
    text("code"),
    Index("ix_sessions_by_user", "user_id", "made_at_ns"),
)
"""`seat`: which grant or delegation the person acts in. `code`: `owed`, `shown`, `elsewhere` (the office's provider
asks for it), or empty: the account had no second factor."""

second_factors = Table(
    "second_factors",
    METADATA,
    text("user_id", key=True),
    text("secret"),
    text("pending_secret"),
    whole("last_step"),
    moment("confirmed_at_ns"),
    moment("begun_at_ns"),
)
"""Secrets of authenticator apps. `pending_secret` has waited since `begun_at_ns` for its first code. `last_step`: whose
code was taken last."""

recovery_codes = Table(
    "recovery_codes",
    METADATA,
    text("code_sha256", key=True),
    text("user_id", default=None),
    Index("ix_recovery_codes_by_user", "user_id"),
)
"""Those that nobody has used yet."""

code_tries = Table(
    "code_tries", METADATA, text("user_id", key=True), text("address", key=True), whole("failed"), moment("first_ns")
)
"""Wrong codes of an account from one network, which `address` holds, since `first_ns`."""

login_tries = Table(
    "login_tries", METADATA, text("who", key=True), whole("failed"), moment("last_ns"), moment("free_at_ns")
)
"""`who`: a key of `screens.guessing`."""

login_workplaces = Table(
    "login_workplaces", METADATA, text("user_id", key=True), text("workplace", key=True), moment("last_ns")
)
"""`workplace`: `address:<network>` or `browser:<digest>` from which an account has logged in lately."""

sign_on_bindings = Table(
    "sign_on_bindings",
    METADATA,
    text("user_id", key=True),
    text("issuer", default=None),
    text("subject", default=None),
    moment("bound_at_ns"),
    UniqueConstraint("issuer", "subject"),
)
"""Whose account at a provider of OpenID Connect an account is. A released binding is in the ledger alone."""

sign_ons = Table(
    "sign_ons",
    METADATA,
    text("state_sha256", key=True),
    text("nonce", default=None),
    text("verifier", default=None),
    text("browser_sha256", default=None),
    text("going_on"),
    moment("made_at_ns"),
    text("network"),
)
"""Sign-ons by OpenID Connect that have begun; each is used once. `network`: the browser's."""
