"""What can be wrong with a message, one class a fault: its code, HTTP status and words in both languages.

In: raised wherever a message is checked. Out: a regulator turns it into `{"error": {...}}`, a gateway turns that
back into the same class (`fault_from`). `about_item` says whether the item itself can never be taken (a sender puts
it aside) or whether only this attempt failed (a sender tries again). Knows no transport and no database.
"""

from typing import ClassVar


class ContractFault(Exception):  # noqa: N818 - a fault is reported to the other side, the names are its codes
    """A message that is not taken. `field` names where, `expected` what would have been right."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    about_item: ClassVar[bool] = False
    message_zh: ClassVar[str] = "平台内部错误"
    message_en: ClassVar[str] = "The platform failed"

    def __init__(self, field: str = "", expected: str = "", retry_after_s: int = 0) -> None:
        self.field = field
        self.expected = expected
        self.retry_after_s = retry_after_s
        super().__init__(": ".join(part for part in (self.code, field, expected) if part))


class Malformed(ContractFault):
    """The bytes are no envelope that can be read."""

    code, status = "malformed", 400
    message_zh, message_en = "报文不是有效的信封", "The bytes are not an envelope"


class WrongVersion(ContractFault):
    """An envelope of another version; `expected` names the one that is spoken here."""

    code, status = "wrong_version", 400
    message_zh, message_en = "不支持的协议版本", "This version of the contract is not spoken here"


class UnknownAlgorithm(ContractFault):
    """A signature algorithm that is not in the registry; `expected` lists those that are."""

    code, status = "unknown_algorithm", 400
    message_zh, message_en = "不支持的签名算法", "This signature algorithm is not known here"


class BadSignature(ContractFault):
    """The signature does not fit the bytes and the key."""

    code, status = "bad_signature", 401
    message_zh, message_en = "签名校验失败", "The signature does not fit the bytes"


class UnknownSender(ContractFault):
    """No such box, or not with this key."""

    code, status = "unknown_sender", 401
    message_zh, message_en = "设备未登记或密钥无效", "This box, or this key of it, is not enrolled"


class CodeRefused(ContractFault):
    """An enrolment code that was never issued, is used up, expired, revoked, or names another box or project."""

    code, status = "code_refused", 403
    message_zh, message_en = (
        "登记码无效、已过期、已使用，或不属于该监控主机和项目",
        "The enrolment code is unknown, expired, used up, or for another box or project",
    )


class OtherProject(ContractFault):
    """The box speaks for another project than the one that it is enrolled for. People repair that; the item waits."""

    code, status = "other_project", 403
    message_zh, message_en = "该监控主机未登记于此项目", "This box is not enrolled for this project"


class NotAdmitted(ContractFault):
    """The box is enrolled, but its project has another box: an approver has to admit it first."""

    code, status = "not_admitted", 403
    message_zh, message_en = "该项目已有监控主机，本机待审批", "The project has a box: this one waits for an approver"


class BoxExists(ContractFault):
    """The box id is enrolled with another key. Said by regulators whose codes do not name the box."""

    code, status = "box_exists", 403
    message_zh, message_en = "该设备编号已登记", "This box id is already enrolled"


class StaleSequence(ContractFault):
    """A sequence number that was used before; `expected` is the highest one seen, as decimal text."""

    code, status = "stale_sequence", 409
    message_zh, message_en = "序号已使用或过旧", "This sequence number was used before or is too old"


class SequenceTooFar(StaleSequence):
    """A number so far above the highest that an honest counter cannot have come there: the same code, as the box does
    the same, it goes on above `expected`."""

    message_zh, message_en = "序号跳跃过大", "This sequence number is too far above the highest one seen"


class ConflictingBody(ContractFault):
    """The idempotency key is held with another body."""

    code, status, about_item = "conflicting_body", 409, True
    message_zh, message_en = "同一幂等键的内容不一致", "This key is already held with a different body"


class BlobOffset(ContractFault):
    """A part that does not continue what is held; `expected` is the offset to go on from."""

    code, status = "blob_offset", 409
    message_zh, message_en = "续传位置不符", "The part does not continue what is held"


class BlobMissing(ContractFault):
    """A media record whose bytes are not here yet: send the blob first."""

    code, status = "blob_missing", 409
    message_zh, message_en = "尚未收到对应的媒体文件", "The bytes of this media are not here yet"


class TooLarge(ContractFault):
    """More bytes than are taken; `expected` is the limit in bytes."""

    code, status, about_item = "too_large", 413, True
    message_zh, message_en = "内容超过大小上限", "Larger than is taken here"


class InvalidBody(ContractFault):
    """A body that does not fit its kind's schema; `field` is the path to the fault."""

    code, status, about_item = "invalid_body", 422, True
    message_zh, message_en = "报文内容不符合规范", "The body does not fit its schema"


class UnknownKind(ContractFault):
    """A kind of message that is not taken at this address."""

    code, status, about_item = "unknown_kind", 422, True
    message_zh, message_en = "不支持的报文类型", "This kind of message is not taken here"


class DigestMismatch(ContractFault):
    """Bytes that do not have the digest they claim."""

    code, status, about_item = "digest_mismatch", 422, True
    message_zh, message_en = "内容与摘要不符", "The bytes do not have the digest they claim"


class Overloaded(ContractFault):
    """The regulator is busy: `retry_after_s` says when to try again."""

    code, status = "overloaded", 429
    message_zh, message_en = "请求过多，请稍后重试", "Too many requests, try again later"


class QuotaReached(Overloaded):
    """What this box may send is used up; `expected` names the most. The same code, as the box does the same: wait."""

    message_zh, message_en = "本机上报超过配额，请稍后重试", "This box has sent as much as it may: try again later"


class NotFound(ContractFault):
    """There is no such address at this regulator."""

    code, status = "not_found", 404
    message_zh, message_en = "地址不存在", "There is nothing at this address"


class Unavailable(ContractFault):
    """The platform cannot keep anything just now."""

    code, status = "unavailable", 503
    message_zh, message_en = "平台暂不可用", "The platform cannot keep anything just now"


FAULTS: dict[str, type[ContractFault]] = {
    kind.code: kind
    for kind in (
        ContractFault,
        Malformed,
        WrongVersion,
        UnknownAlgorithm,
        BadSignature,
        UnknownSender,
        CodeRefused,
        OtherProject,
        NotAdmitted,
        BoxExists,
        StaleSequence,
        ConflictingBody,
        BlobOffset,
        BlobMissing,
        TooLarge,
        InvalidBody,
        UnknownKind,
        DigestMismatch,
        Overloaded,
        NotFound,
        Unavailable,
    )
}
