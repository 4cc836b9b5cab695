"""The messages of the contract, one model each: from the gateway up, and what the regulator replies. What it sends by
itself, through the mailbox, is `contract.mailbox`.

In: parsed JSON. Out: frozen, validated values. Numbers are integers; measured values are decimal strings, so that a
hash means the same on every machine. What goes up refuses unknown fields (a regulator must not overlook anything
signed); what comes down ignores them (an old box lives on). Knows no signature, no transport and no database.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.envelope import BoxId, Key, KeyId, SignedText, Whole

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$", max_length=40)]
Label = Annotated[str, Field(max_length=500)]
Words = Annotated[str, Field(max_length=4000)]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
SequenceNumber = Annotated[int, Field(ge=1, le=2**63 - 1)]
Severity = Literal["P1", "P2", "P3", "log"]


class UpMessage(BaseModel):
    """The body of an envelope that a box sends up."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Enrol(UpMessage):
    """A box introduces itself, once, with the code that a person typed in; signed with the key it brings."""

    code: Annotated[str, Field(min_length=8, max_length=200)]
    public_key: Annotated[Base64, Field(min_length=1, max_length=1000)]
    project_code: Label
    software: Label = ""


class ChainPosition(UpMessage):
    """A place in a box's chain: `seq` 0 and 64 zeros before the first record."""

    seq: Whole
    sha256: Sha256


class Heartbeat(UpMessage):
    """The box lives; this is the head of its chain and what it counted since its start.

    Two figures among the counters speak of now, and are left out where they are not known: `waiting` (items that are
    still to be sent) and `disk_days_left` (whole days until its disk is full).
    """

    chain: ChainPosition
    started_at_ns: Whole
    counters: Annotated[dict[Label, Whole], Field(max_length=200)]


class RulePackState(UpMessage):
    """A rule pack in force. `sha256` as `contract.packs.pack_sha256` makes it; `origin`: where its files came from."""

    name: Label
    sha256: Sha256
    origin: Literal["shipped", "site", "regulator"]


class ModelState(UpMessage):
    """A detector that looks at pictures: its name and version, the beginning of its file's SHA-256, for how many
    cameras."""

    name: Label
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")]
    cameras: Whole


class BoxState(UpMessage):
    """State of the box: software and rules. Sent at the start, after a change, and once a day.

    `clock`: whether a time server keeps the box's clock, as its kernel says; `unknown` where it does not.
    """

    software: Label
    started_at_ns: Whole
    settings_sha256: Sha256
    rule_packs: Annotated[tuple[RulePackState, ...], Field(strict=False, max_length=100)]
    models: Annotated[tuple[ModelState, ...], Field(strict=False, max_length=100)]
    clock: Literal["kept", "free", "unknown"]


class SuspectedHazard(UpMessage):
    """The major accident hazard (重大事故隐患) that an alarm makes suspected, never confirmed: its code under the
    edition of the national criteria that was in force when the alarm was raised, and its name in the other edition.

    A code is empty where that edition has no such item.
    """

    code: Label
    edition: Label
    other_code: Label
    other_edition: Label


class AlarmTransition(UpMessage):
    """One alarm was raised, acknowledged or returned to normal, or a person at the site reports it (`handed_over`: also
    of an alarm that was never sent before; `user` and `reason` say who and why). `event_id` is the idempotency key."""

    event_id: Key
    alarm_id: Key
    transition: Literal["raised", "acknowledged", "returned", "handed_over"]
    rule_id: Label
    severity: Severity
    subject: Label
    asset: Label
    asset_kind: Label
    title_zh: Label
    title_en: Label
    measured: DecimalText | None
    limit: DecimalText | None
    unit: Label
    limit_source: Label
    clause: Words
    certainty: Label
    suspected: bool
    hazard: SuspectedHazard | None = None
    observed_at_ns: Whole
    raised_at_ns: Whole
    user: Label
    reason: Words
    evidence_seq: Whole
    evidence_sha256: Sha256
    project_code: Label


class EvidenceRecord(UpMessage):
    """One record of the box's chain, as its exact canonical text: re-spelling it would break its digest."""

    record: Annotated[str, Field(min_length=2, max_length=900_000)]
    sha256: Sha256


class MinutePoint(UpMessage):
    """One point over one minute. `quality` is the worst in it: 0 good, 1 suspect, 2 bad. No numbers when count is 0."""

    point_id: Label
    unit: Label
    min: DecimalText | None
    max: DecimalText | None
    mean: DecimalText | None
    count: Whole
    quality: Annotated[int, Field(ge=0, le=2)]


class MinuteSummary(UpMessage):
    """What one asset measured in the minute that begins at `minute_at_ns`."""

    minute_at_ns: Whole
    asset: Label
    points: Annotated[tuple[MinutePoint, ...], Field(strict=False, max_length=1000)]


class Blob(UpMessage):
    """One part of a file, sent beside its bytes. `sha256` names the whole, `part_sha256` the bytes of this request."""

    sha256: Sha256
    size_bytes: SequenceNumber
    offset_bytes: Whole
    part_sha256: Sha256
    media_type: Label


class BlobQuery(UpMessage):
    """Received length of a file. The box resumes there after a break."""

    sha256: Sha256


class Thumbnail(UpMessage):
    """A small picture, in the message itself."""

    camera_id: Label
    captured_at_ns: Whole
    media_type: Literal["image/jpeg", "image/webp"]
    width_px: Annotated[int, Field(ge=1, le=1024)]
    height_px: Annotated[int, Field(ge=1, le=1024)]
    sha256: Sha256
    data_base64: Annotated[Base64, Field(max_length=131_072)]
    event_id: str = ""


class MediaSegment(UpMessage):
    """A clip or picture whose bytes were sent before as a blob."""

    segment_id: Key
    camera_id: Label
    started_at_ns: Whole
    duration_ms: Whole
    media_type: Label
    blob_sha256: Sha256
    size_bytes: SequenceNumber
    event_id: str = ""


class CameraStill(UpMessage):
    """The newest picture of a camera, small, faces blurred: said about once a minute, for overviews. It speaks of now:
    a regulator keeps the newest of each camera and gives no receipt, a box sends none again. `asset`: what the camera
    is registered as, where that is another name."""

    camera_id: Annotated[str, Field(min_length=1, max_length=500)]
    asset: Label = ""
    captured_at_ns: Whole
    media_type: Literal["image/jpeg", "image/webp"]
    width_px: Annotated[int, Field(ge=1, le=320)]
    height_px: Annotated[int, Field(ge=1, le=320)]
    sha256: Sha256
    data_base64: Annotated[Base64, Field(min_length=4, max_length=43_692)]


class LiveViewAnswer(UpMessage):
    """What the box says to a `live_view_request`. `ended` may also say why pictures that came stop coming.

    `reason` is a code for programs: `not_playable` (no H.264), `offline`, `no_camera`, `busy`, `not_allowed`, `ended`,
    `failed`; empty while `opening`.
    """

    request_id: Key
    answer: Literal["opening", "refused", "ended"]
    reason: Annotated[str, Field(pattern=r"^[a-z_]{0,40}$")] = ""
    words: Label = ""


class LivePart(UpMessage):
    """A piece of live video, beside its bytes: fragmented MP4 as the camera encoded it (H.264). `number` 0 is the
    initialisation segment; then whole fragments in order, 1, 2, 3 ... `key`: the first of them begins with a key frame,
    so that a player may begin there."""

    request_id: Key
    number: Whole
    key: bool
    part_sha256: Sha256


class OrderReply(UpMessage):
    """What the site answers to an order. Evidence of rectification was sent before as blobs."""

    order_id: Key
    answer: Literal["seen", "accepted", "rectified", "disputed"]
    words: Words
    user: Label
    answered_at_ns: Whole
    blob_sha256: Annotated[tuple[Sha256, ...], Field(strict=False, max_length=50)] = ()


class MailboxPoll(UpMessage):
    """Ask for messages; the regulator waits up to `wait_s` for the first one."""

    wait_s: Annotated[int, Field(ge=0, le=60)]
    limit: Annotated[int, Field(ge=1, le=100)] = 32


class Acknowledged(UpMessage):
    """One mailbox message that needs no further delivery. UNSUPPORTED: kept unread, this box does not know the kind."""

    message_id: Key
    outcome: Literal["kept", "unsupported"]


class MailboxAck(UpMessage):
    """These messages are durable at the box."""

    messages: Annotated[tuple[Acknowledged, ...], Field(strict=False, min_length=1, max_length=100)]


class KeyRotationReply(UpMessage):
    """The answer to a key rotation, signed with the old key.

    `whose` = box: `public_key` is the box's next key and `proof` that key's signature over the ASCII text
    `<rotation_id>:<box_id>:<public_key>`. `whose` = regulator: the announced key is trusted, both fields are empty.
    """

    rotation_id: Key
    whose: Literal["box", "regulator"]
    public_key: Annotated[Base64, Field(max_length=1000)] = ""
    proof: Annotated[Base64, Field(max_length=1000)] = ""


class DownModel(BaseModel):
    """A body that comes down from a regulator."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Enrolled(DownModel):
    """The regulator's key, to be remembered: everything it says later is checked with it. `admitted` no: the project
    has another box, and an approver has to admit this one before it is heard."""

    alg: str
    key_id: KeyId
    public_key: Base64
    mailbox: bool = True
    admitted: bool = True


class ReceiptText(DownModel):
    """Held durably. The signed text of this is the proof, and stays the same however often the item is sent."""

    receipt_id: Key
    box_id: BoxId
    key: Key
    kind: str
    body_sha256: Sha256
    accepted_at_ns: Whole


class ChainState(DownModel):
    """How the regulator sees the box's chain.

    `state`: ok (all records up to `highest_seq` hold), gap (records `missing_from`..`missing_to` have not arrived),
    fault (records contradict each other, see `reason`; stays for ever).
    """

    state: Literal["ok", "gap", "fault"]
    verified_seq: Whole
    highest_seq: Whole
    missing_from: Whole = 0
    missing_to: Whole = 0
    reason: str = ""


class Accepted(DownModel):
    """The reply to an item. `receipt` is a `ReceiptText`; `chain` comes with evidence records."""

    receipt: SignedText
    duplicate: bool
    chain: ChainState | None = None


class ChainCheckpoint(DownModel):
    """How far the regulator holds a box's chain whole: up to record `seq`, whose digest is `sha256`. Signed, it proves
    that the box had sealed this record, and with it every record before, at `at_ns` (the regulator's clock)."""

    box_id: BoxId
    seq: SequenceNumber
    sha256: Sha256
    at_ns: Whole


class HeartbeatSeen(DownModel):
    """The reply to a heartbeat. `checkpoint` is a signed `ChainCheckpoint`, None before the first record and from a
    regulator that gives none."""

    chain: ChainState
    messages_waiting: Whole
    checkpoint: SignedText | None = None


class BlobState(DownModel):
    """How much of a blob is held; complete means that the whole was checked against its digest."""

    sha256: Sha256
    received_bytes: Whole
    complete: bool


class LiveState(DownModel):
    """The reply to `live_view_answer` and `live_part`: whether anybody still watches. A box that hears no stops."""

    request_id: Key
    wanted: bool


class MailboxBatch(DownModel):
    """Waiting messages, oldest first; each `SignedText` is a `MailboxMessage`. Empty when the wait ran out."""

    messages: Annotated[tuple[SignedText, ...], Field(strict=False)]


class MailboxMessage(DownModel):
    """One message to a box. `mailbox_seq` counts 1, 2, 3 ... per box; delivered in that order until acknowledged."""

    version: Literal[1] = 1
    message_id: Key
    mailbox_seq: SequenceNumber
    box_id: BoxId
    kind: str
    issued_at_ns: Whole
    body: dict[str, Any]


ITEM_KINDS: dict[str, type[UpMessage]] = {
    "alarm_transition": AlarmTransition,
    "evidence_record": EvidenceRecord,
    "minute_summary": MinuteSummary,
    "thumbnail": Thumbnail,
    "media_segment": MediaSegment,
    "order_reply": OrderReply,
}
"""Kinds that are kept under their idempotency key and answered with a receipt."""

STATE_KINDS: dict[str, type[UpMessage]] = {
    "heartbeat": Heartbeat,
    "box_state": BoxState,
    "camera_still": CameraStill,
    "live_view_answer": LiveViewAnswer,
    "mailbox_ack": MailboxAck,
    "key_rotation_reply": KeyRotationReply,
}
"""Kinds that speak of now and are judged by their sequence number alone."""

ENROL, MAILBOX_POLL, BLOB, BLOB_QUERY = "enrol", "mailbox_poll", "blob", "blob_query"
LIVE_PART = "live_part"

UP_KINDS: dict[str, type[UpMessage]] = {
    **ITEM_KINDS,
    **STATE_KINDS,
    ENROL: Enrol,
    MAILBOX_POLL: MailboxPoll,
    BLOB: Blob,
    BLOB_QUERY: BlobQuery,
    LIVE_PART: LivePart,
}

REPLY_KINDS: dict[str, type[DownModel]] = {
    "enrolled": Enrolled,
    "accepted": Accepted,
    "heartbeat_seen": HeartbeatSeen,
    "blob_state": BlobState,
    "live_state": LiveState,
    "mailbox_batch": MailboxBatch,
}
"""Replies with a body; `done` has none, `error` has `error` instead."""
