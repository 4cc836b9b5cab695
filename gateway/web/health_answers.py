"""What the API answers about the box itself. Models of the published schema."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.web.answer_fields import (
    AssetText,
    DeviceText,
    ErrorText,
    NameText,
    Ns,
    NsOrNone,
    PointText,
    Sha256Text,
    TextEn,
    TextZh,
)
from screens.published import Answer

Minutes = Annotated[int, Field(description="Minutes", examples=[60])]


class AliveAnswer(Answer):
    """Whether the pipeline ticks and both stores take writes; 503 when not."""

    alive: Annotated[bool, Field(examples=[True])]


class ReadyAnswer(Answer):
    """Whether everything works; 503 with the reasons when not."""

    ready: Annotated[bool, Field(examples=[True])]
    reasons: Annotated[list[str], Field(examples=[[]])]


class LinkRow(Answer):
    """A device's link. Counts are since the start."""

    device: DeviceText
    state: Literal["up", "down", "starting"]
    polls: int
    failures: int
    skipped: int
    last_error: ErrorText
    address: Annotated[str, Field(description="Where the device is asked now", examples=["192.0.2.10:502"])]
    on_standby: Annotated[bool, Field(description="That is the link's second address")]
    labels: Annotated[dict[str, str], Field(description="Texts of the device", examples=[{}])]


class UplinkRow(Answer):
    """A receiver of alerts."""

    name: NameText
    down: bool
    accepted: int
    rejected: int
    retries: int
    last_error: ErrorText


class PartRow(Answer):
    """A part of the program."""

    name: Annotated[str, Field(examples=["pipeline"])]
    running: Annotated[bool, Field(examples=[True])]
    restarts: int
    last_error: ErrorText


class FeedRow(Answer):
    """The live feed."""

    clients: int
    delivered: int
    dropped: int
    gaps: Annotated[dict[str, int], Field(description="By the reason", examples=[{"too_old": 0}])]


class CommissioningRow(Answer):
    """Whether a crane's load alarms are armed, and by which sheet."""

    asset: AssetText
    commissioned: bool
    load_alarms_armed: bool
    reason_zh: TextZh
    reason_en: TextEn
    at_ns: NsOrNone
    sheet_sha256: Sha256Text


class ConfigFault(Answer):
    """What is wrong with a line of the site file."""

    file: Annotated[str, Field(examples=["site.yaml"])]
    line: int
    key: Annotated[str, Field(examples=["web.port"])]
    text_zh: Annotated[str, Field(examples=["应为 1 到 65535"])]
    text_en: Annotated[str, Field(examples=["expected 1 to 65535"])]


class ConfigRow(Answer):
    """What the box runs by, and whether the file still says so."""

    file: Annotated[str, Field(examples=["/etc/sitewarden/site.yaml"])]
    digest: Annotated[str, Field(examples=["9f86d081884c7d65"])]
    loaded_at_ns: Ns
    differs_from_file: bool
    message_zh: TextZh
    message_en: TextEn
    refused_at_ns: NsOrNone
    faults: list[ConfigFault]
    needs_restart: Annotated[list[str], Field(description="Sections of the file", examples=[[]])]


class CertificateRow(Answer):
    """The certificate of the web face."""

    days_left: int
    ends_at_ns: Ns
    names: Annotated[list[str], Field(examples=[["box.local"]])]
    renews_itself: bool
    problem_zh: TextZh
    problem_en: TextEn


class HealthAnswer(Answer):
    """How every part is doing."""

    box_id: Annotated[str, Field(examples=["box-1"])]
    chain_seq: Annotated[int, Field(description="Number of the newest sealed record", examples=[42])]
    chain_sha256: Sha256Text
    store_failing: bool
    disk_reserve_released: bool
    history_lost_polls: int
    intake_queue: int
    links: list[LinkRow]
    uplinks: list[UplinkRow]
    parts: list[PartRow]
    feed: FeedRow
    commissioning: list[CommissioningRow]
    config: ConfigRow
    certificate: CertificateRow | None


class ClockRow(Answer):
    """Whether a time server keeps the clock; null where the kernel does not say."""

    sync: Literal["kept", "free", "unknown"]
    offset_s: float | None
    max_error_s: float | None
    source: Annotated[str, Field(examples=["kernel"])]
    jumps_24_h: int


class DiskRow(Answer):
    """Space and growth; null where too little was measured, or nothing grows."""

    free_bytes: int
    history_bytes: int
    history_bound_bytes: int
    history_bytes_a_day: float | None
    alarms_bytes: int
    days_to_bound: float | None
    days_left: float | None


class WaitingRow(Answer):
    """Messages that wait for a receiver; the oldest was made at `oldest_ns` (0: none waits)."""

    messages: int
    oldest_ns: NsOrNone


class MinuteSharesRow(Answer):
    """Minutes of each quality."""

    good: Minutes
    doubtful: Minutes
    bad: Minutes
    missing: Minutes


class QualityRow(Answer):
    """A point's last hour and last day."""

    point_id: PointText
    asset: AssetText
    hour: MinuteSharesRow
    day: MinuteSharesRow


class HealthReportAnswer(HealthAnswer):
    """How the box is doing, with what files and the kernel say; that part is up to half a minute old."""

    at_ns: Ns
    started_at_ns: Ns
    not_ready: Annotated[list[str], Field(examples=[[]])]
    clock: ClockRow
    disk: DiskRow | None
    waiting: dict[str, WaitingRow]
    quality: list[QualityRow]
    model_version: Annotated[str | None, Field(description="What judges pictures; null: nothing", examples=["1.2"])]
