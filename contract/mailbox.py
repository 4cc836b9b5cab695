"""What a regulator sends to a box by itself, one model for each kind of mailbox message.

In: the `body` of a `MailboxMessage`. Out: frozen, validated values; unknown fields are ignored (an old box lives on).
"""

from typing import Annotated, Literal

from pydantic import Field

from contract.envelope import Key, SignedText, Whole
from contract.messages import Base64, DownModel, Label, SequenceNumber, Severity, Sha256, Words

MAX_PACK_CHARACTERS = 200_000
"""Of all files of an offered rule pack together: it goes into a record of the box's chain, and up again with it."""
MAX_PACK_FILES = 60


class ReceiptNotice(DownModel):
    """Mailbox kind `receipt`: the same signed receipt again, for evidence and media, should its reply be lost."""

    receipt: SignedText


class Order(DownModel):
    """Mailbox kind `order`: something the site must do, by when and on what basis."""

    order_id: Key
    number: Label
    title_zh: Label
    title_en: Label = ""
    words: Words
    legal_basis: Words
    severity: Severity
    deadline_at_ns: Whole
    event_ids: Annotated[tuple[Key, ...], Field(strict=False, max_length=1000)] = ()


class OrderState(DownModel):
    """Mailbox kind `order_state`: where an order stands at the regulator. `words` say why it came back, or was
    withdrawn; `deadline_at_ns` is the deadline in force from now on, 0 when it has not changed."""

    order_id: Key
    state: Literal["ordered", "awaiting_recheck", "returned", "closed", "withdrawn"]
    words: Words = ""
    changed_at_ns: Whole
    deadline_at_ns: Whole = 0


class WorkPermit(DownModel):
    """Mailbox kind `work_permit`: dangerous work that somebody has allowed, for a while. A later `version` of the same
    permit takes the place of an earlier one; a withdrawn one stays known and covers nothing.

    `asset` is the box's name of the machine; empty: any machine of the site (never said by default).
    """

    permit_id: Key
    version: SequenceNumber
    number: Label
    work: Literal["erection_dismantling", "climbing", "hot_work"]
    asset: Label = ""
    place: Label = ""
    holder: Label
    issued_by: Label
    valid_from_ns: Whole
    valid_until_ns: Whole
    reason: Words = ""
    withdrawn: bool = False


class WeatherWarning(DownModel):
    """Mailbox kind `weather_warning`: a warning of the weather service, passed on. Versions as of permits; one that is
    withdrawn ends when its word arrives."""

    warning_id: Key
    version: SequenceNumber
    kind: Literal["wind", "rainstorm", "lightning", "heat"]
    level: Literal["blue", "yellow", "orange", "red"]
    source: Label
    words: Words = ""
    valid_from_ns: Whole
    valid_until_ns: Whole
    withdrawn: bool = False


class RulePackFile(DownModel):
    """One file of a rule pack: its name without a folder, and its text."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?\.yaml$")]
    text: Annotated[str, Field(max_length=MAX_PACK_CHARACTERS)]


class RulePackOffer(DownModel):
    """Mailbox kind `rule_pack`: limits and rules to judge by. The box checks it as it checks its own files, and answers
    with an evidence record of kind `rule_pack`; what it judges by now stays in force until that has gone well.

    `sha256` is `contract.packs.pack_sha256` of the files. `withdrawn`: the box goes back to the pack of that name that
    it has of its own, or does without; `files` are empty then.
    """

    offer_id: Key
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$")]
    sha256: Sha256
    files: Annotated[tuple[RulePackFile, ...], Field(strict=False, max_length=MAX_PACK_FILES)] = ()
    reason: Words = ""
    offered_by: Label = ""
    withdrawn: bool = False


class AlarmVerdict(DownModel):
    """Mailbox kind `alarm_verdict`: what a reviewer said of an alarm that a camera of this box raised. The highest
    `version` of an alarm counts; `open` takes back what was said before. `reason` is a code and says why an alarm was
    `false`, empty otherwise; a box that does not know a code takes it for `other`. Who judged is not told."""

    alarm_id: Key
    version: SequenceNumber
    verdict: Literal["true", "false", "doubtful", "open"]
    reason: Annotated[str, Field(pattern=r"^[a-z_]{0,40}$")] = ""
    judged_at_ns: Whole


class LiveViewRequest(DownModel):
    """Mailbox kind `live_view_request`: send pictures of a camera for a while; who asks and why is logged on site. The
    box answers `live_view_answer`, then sends `live_part`s until nobody watches or `duration_s` is over."""

    request_id: Key
    camera_id: Label
    duration_s: Annotated[int, Field(ge=1, le=3600)]
    requested_by_role: Label
    reason: Words


class KeyRotation(DownModel):
    """Mailbox kind `key_rotation`: `regulator` announces its next key; `box` asks the box to make itself a new one."""

    rotation_id: Key
    whose: Literal["box", "regulator"]
    alg: str
    public_key: Annotated[Base64, Field(max_length=1000)] = ""


MAILBOX_KINDS: dict[str, type[DownModel]] = {
    "receipt": ReceiptNotice,
    "order": Order,
    "order_state": OrderState,
    "work_permit": WorkPermit,
    "weather_warning": WeatherWarning,
    "rule_pack": RulePackOffer,
    "alarm_verdict": AlarmVerdict,
    "live_view_request": LiveViewRequest,
    "key_rotation": KeyRotation,
}
