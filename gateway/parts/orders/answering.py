"""The site's answers to orders: photos to the disk, then one commit with the sealed answer and its way out.

    photos --> shelf (fsync) --> chain + outbox row, one commit --> told
      a kill before the commit: bodies without an answer, and the person sees that nothing was sent
      a kill after it: the answer is there and leaves with the next start

The row's key is the form's: the same form, sent twice, is one answer. In: what a person typed and chose. Out: a sealed
`Reply`. Knows no page.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from contract.canonical import Canonical, canonical_bytes
from gateway.evidence.evidence import RecordKind
from gateway.evidence.sealed_messages import SealedRecord
from gateway.line.recorder import Entry, Recorder, Told
from gateway.media.sending import REPLY_KIND
from gateway.media.shelf import MediaShelf
from gateway.parts.orders.order import Answer, Photo, Reply, SiteOrder
from gateway.parts.orders.order_book import BOOK_KINDS, OrderBook
from gateway.parts.orders.photos import MAX_PHOTOS, PhotoRefusedError, check_photo
from gateway.ports import Clock
from gateway.store.alert_store import REPLY_URGENCY, Message

log = logging.getLogger(__name__)
MAX_WORDS = 4000
NEEDS_WORDS = frozenset({Answer.RECTIFIED, Answer.DISPUTED})


class AnswerRefusedError(Exception):
    """Nothing was sealed: why, in both languages; `field` is the part of the form."""

    def __init__(self, code: str, words_zh: str, words_en: str, field: str = "") -> None:
        self.code, self.words_zh, self.words_en, self.field = code, words_zh, words_en, field
        super().__init__(f"{code}: {words_en}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: its name is shown in refusals and not kept."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class NewReply:
    """What a person wants to say. `reply_id` is made with the form."""

    reply_id: str
    answer: Answer
    words: str
    user: str
    uploads: tuple[Upload, ...] = ()


class OrderOffice:
    """Orders, and the one door through which they are answered. `regulators` names the uplinks that take answers."""

    def __init__(
        self, shelf: MediaShelf, recorder: Recorder, clock: Clock, regulators: Callable[[], Sequence[str]]
    ) -> None:
        self.book = OrderBook()
        self._shelf = shelf
        self._recorder = recorder
        self._clock = clock
        self._regulators = regulators
        self._turn = asyncio.Lock()

    @property
    def box_id(self) -> str:
        """The id of the box whose answers these are."""
        return self._recorder.box_id

    def read(self, records: Iterable[SealedRecord]) -> None:
        """Everything that the chain holds of orders, oldest first; once, before anything is answered."""
        for record in records:
            self.book.take(record)

    def told(self, told: Sequence[Told]) -> None:
        """Told by the recorder of every record that it has committed."""
        for each in told:
            if each.record.kind in BOOK_KINDS:
                self.book.take(each.record)

    def orders(self) -> list[SiteOrder]:
        """What is open first, the nearest deadline first; then what has ended, the newest first."""
        found = list(self.book)
        pending = sorted((order for order in found if not order.ended), key=lambda order: order.deadline_ns)
        return pending + sorted((order for order in found if order.ended), key=lambda order: -order.seq)

    async def answer(self, seq: int, new: NewReply) -> Reply:
        """Sealed and on its way; done once it is durable, whoever stops waiting.

        Raises LookupError for no such order, AnswerRefusedError, PhotoRefusedError, OSError when a photo cannot be
        kept.
        """
        return await asyncio.shield(asyncio.create_task(self._answer(seq, new)))

    async def photo(self, order: SiteOrder, sha256: str) -> bytes:
        """A photo of one of the order's answers. Raises LookupError, DamagedError."""
        known = {photo.sha256 for reply in order.replies for photo in reply.photos}
        if sha256 not in known:
            raise LookupError(sha256)
        return await asyncio.to_thread(self._shelf.read, sha256)

    async def _answer(self, seq: int, new: NewReply) -> Reply:
        async with self._turn:
            order = self.book.find(seq)
            if order is None:
                raise LookupError(f"order {seq}")
            given = order.find_reply(new.reply_id)
            if given is not None:
                return given
            _check(order, new)
            photos = await asyncio.to_thread(self._keep, new.uploads)
            return await self._seal(order, new, photos)

    def _keep(self, uploads: Sequence[Upload]) -> tuple[Photo, ...]:
        """In a thread: all are looked at before the first is kept."""
        photos = [check_photo(upload.name, upload.body) for upload in uploads]
        for upload in uploads:
            self._shelf.put(upload.body)
        return tuple(dict.fromkeys(photos))

    async def _seal(self, order: SiteOrder, new: NewReply, photos: tuple[Photo, ...]) -> Reply:
        now_ns = self._clock.now_ns()
        content: dict[str, Canonical] = {
            "order_id": order.order_id,
            "number": order.number,
            "reply_id": new.reply_id,
            "answer": str(new.answer),
            "words": new.words,
            "user": new.user,
            "answered_at_ns": now_ns,
            "photos": [_photo_content(photo) for photo in photos],
        }
        entry = Entry(
            RecordKind.ORDER_REPLY,
            now_ns,
            content,
            about=f"order:{order.order_id}",
            messages=self._messages(order, new, photos, now_ns),
        )
        record = await self._recorder.record(entry)
        log.info("event=order_answered order=%s answer=%s photos=%d", order.order_id, new.answer, len(photos))
        return Reply(new.reply_id, new.answer, new.words, new.user, now_ns, photos, record.seq)

    def _messages(self, order: SiteOrder, new: NewReply, photos: Sequence[Photo], now_ns: int) -> list[Message]:
        body = canonical_bytes(
            {
                "order_id": order.order_id,
                "answer": str(new.answer),
                "words": new.words,
                "user": new.user,
                "answered_at_ns": now_ns,
                "blob_sha256": [photo.sha256 for photo in photos],
            }
        )
        uplinks = [order.uplink] if order.uplink else self._regulators()
        key = reply_key(self._recorder.box_id, order, new.reply_id)
        return [Message(uplink, key, REPLY_KIND, body, REPLY_URGENCY) for uplink in uplinks]


def reply_key(box_id: str, order: SiteOrder, reply_id: str) -> str:
    """The idempotency key of an answer. `seq` stands for the order: an id may fill a key by itself."""
    return f"{box_id}:order_reply:{order.seq}:{reply_id}"


def _check(order: SiteOrder, new: NewReply) -> None:
    if new.answer not in order.answers:
        raise AnswerRefusedError(
            "answer_not_due",
            "现在不能这样答复，请刷新页面",
            "not to be answered so now: load the page again",
            "answer",
        )
    if len(new.words) > MAX_WORDS:
        raise AnswerRefusedError(
            "words_too_long",
            f"说明共 {len(new.words)} 字，最多 {MAX_WORDS} 字",
            f"{len(new.words)} characters, at most {MAX_WORDS}",
            "words",
        )
    if new.answer in NEEDS_WORDS and not new.words.strip():
        raise AnswerRefusedError(
            "words_missing", "请说明整改情况或异议理由", "say what was done, or why it is disputed", "words"
        )
    if new.answer is Answer.RECTIFIED and not new.uploads:
        raise AnswerRefusedError(
            "photo_missing", "报告整改完成须附至少一张照片", "to report it rectified, add at least one photo", "photos"
        )
    if len(new.uploads) > MAX_PHOTOS:
        raise PhotoRefusedError(
            "too_many_photos", "", f"最多 {MAX_PHOTOS} 张照片", f"at most {MAX_PHOTOS} photos with one answer"
        )


def _photo_content(photo: Photo) -> Canonical:
    return {
        "sha256": photo.sha256,
        "size_bytes": photo.size_bytes,
        "media_type": photo.media_type,
        "width_px": photo.width_px,
        "height_px": photo.height_px,
    }
