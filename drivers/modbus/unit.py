"""One Modbus unit, read whole: every planned request in order, once a poll.

In: words from a link. Out: `Readings`, and the texts that the unit says of itself. Learns which gaps the unit refuses
to have read over. Must not know whether the words come over TCP or RTU, nor schedules, rules or stores.
"""

import logging

import numpy as np

from drivers.modbus.gap_search import pieces_of
from drivers.modbus.labels import text_of
from drivers.modbus.learning import RELEARN_S, LearningPlan
from drivers.modbus.plan import Request
from drivers.modbus.registers import Words
from drivers.modbus.replies import ExceptionReplyError
from drivers.modbus.settings import LabelRegisters, ModbusDevice, ModbusTable
from drivers.modbus.standby import WordSource
from gateway.model.errors import DecodeError, LinkError
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.ports import BoundDevice, Clock

logger = logging.getLogger(__name__)

Answers = dict[Request, Words | None]


class ModbusUnit:
    """One unit on a link, read whole by `read`. Implements `PolledDevice`."""

    def __init__(self, bound: BoundDevice, link: WordSource, clock: Clock) -> None:
        settings: ModbusDevice = bound.settings
        table: ModbusTable = bound.table
        self.device_id = settings.id
        self.point_index = bound.point_index
        self.labels: tuple[tuple[str, str], ...] = ()
        self._unit_id = settings.unit_id
        self._plan = LearningPlan(table)
        self._label_registers = table.labels
        self._labels_due_ns = clock.monotonic_ns()
        self._link = link
        self._clock = clock
        self._refused: frozenset[Request] = frozenset()
        self._silent_before = False

    async def read(self) -> Readings:
        """One poll: every planned request in order. `observed_at_ns` is when the first reply had arrived.

        Requests that the unit refuses by an exception leave their points BAD. On a line where replies may be late the
        first values after a silence are SUSPECT. Raises LinkError when the unit refuses all, is absent, or does not
        answer; UnreadableReplyError when a reply is no answer.
        """
        try:
            readings = await self._poll()
        except ExceptionReplyError:
            raise
        except (LinkError, DecodeError):
            self._silent_before = self._link.replies_may_be_late
            raise
        await self._read_labels()
        if self._silent_before:
            self._silent_before = False
            return _suspected(readings)
        return readings

    async def _poll(self) -> Readings:
        self._plan.relearn(self._clock.monotonic_ns())
        answers: Answers = {}
        refused: dict[Request, ExceptionReplyError] = {}
        observed_at_ns = 0
        for request in self._plan.decoder.requests:
            observed_at_ns = await self._ask(request, answers, refused) or observed_at_ns
        self._note_refusals(refused)
        return self._readings(answers, observed_at_ns)

    async def _ask(self, request: Request, answers: Answers, refused: dict[Request, ExceptionReplyError]) -> int:
        """Ask for one request, or for its parts when it is refused. The time if this was the poll's first, else 0."""
        first = not answers
        try:
            answers[request] = await self._link.read(self._unit_id, request)
        except ExceptionReplyError as error:
            observed_at_ns = self._clock.now_ns() if first else 0
            await self._refusal(request, error, answers, refused)
            return observed_at_ns
        return self._clock.now_ns() if first else 0

    async def _refusal(
        self,
        request: Request,
        error: ExceptionReplyError,
        answers: Answers,
        refused: dict[Request, ExceptionReplyError],
    ) -> None:
        runs = self._plan.runs_of(request) if error.refuses_addresses else ()
        tried: Answers = {}
        refusals: dict[Request, ExceptionReplyError] = {}
        pieces = await pieces_of(runs, lambda piece: self._is_answered(piece, tried, refusals))
        if any(tried[piece] is not None for piece in pieces):
            answers.update((piece, tried[piece]) for piece in pieces)
            refused.update((piece, refusals[piece]) for piece in pieces if piece in refusals)
            self._plan.learn(request, pieces, self._clock.monotonic_ns())
            logger.info(
                "gap refused, read in parts device=%s function=%d address=%d count=%d parts=%d",
                *(self.device_id, request.function, request.address, request.count, len(pieces)),
            )
            return
        answers[request], refused[request] = None, error
        nothing_left = set(self._plan.decoder.requests) == refused.keys()
        if error.unit_is_absent or nothing_left:
            raise error

    async def _is_answered(
        self, request: Request, answers: Answers, refused: dict[Request, ExceptionReplyError]
    ) -> bool:
        try:
            answers[request] = await self._link.read(self._unit_id, request)
        except ExceptionReplyError as error:
            if error.unit_is_absent:
                raise
            answers[request], refused[request] = None, error
        return answers[request] is not None

    def _readings(self, answers: Answers, observed_at_ns: int) -> Readings:
        requests = self._plan.decoder.requests
        blocks = [answers[request] for request in requests]
        value, quality = self._plan.decoder.decode(blocks)
        raw = tuple(
            (request.address, block) for request, block in zip(requests, blocks, strict=True) if block is not None
        )
        received_at_ns = self._clock.now_ns() if len(requests) > 1 else observed_at_ns
        return Readings(
            self.device_id, self.point_index, value, quality, observed_at_ns, received_at_ns, RawBlock(blocks=raw)
        )

    async def _read_labels(self) -> None:
        """Read the texts at the start and every `RELEARN_S`. One that cannot be read is left out; no value minds."""
        now_ns = self._clock.monotonic_ns()
        if not self._label_registers or now_ns < self._labels_due_ns:
            return
        self._labels_due_ns = now_ns + int(RELEARN_S * 1e9)
        found = [(label.key, await self._text(label)) for label in self._label_registers]
        self.labels = tuple((key, text) for key, text in found if text)

    async def _text(self, label: LabelRegisters) -> str:
        try:
            words = await self._link.read(self._unit_id, Request(label.function, label.address, label.registers))
        except (LinkError, DecodeError):
            return ""
        return text_of(words, label)

    def _note_refusals(self, refused: dict[Request, ExceptionReplyError]) -> None:
        """One line when a request begins to be refused, one when it is answered again."""
        if refused.keys() == self._refused:
            return
        for request in refused.keys() - self._refused:
            logger.warning("registers refused device=%s error=%r", self.device_id, str(refused[request]))
        for request in self._refused - refused.keys():
            logger.info(
                "registers back device=%s function=%d address=%d", self.device_id, request.function, request.address
            )
        self._refused = frozenset(refused)


def _suspected(readings: Readings) -> Readings:
    quality = np.where(readings.quality == Quality.GOOD, np.uint8(Quality.SUSPECT), readings.quality)
    return Readings(
        readings.device,
        readings.point_index,
        readings.value,
        quality,
        readings.observed_at_ns,
        readings.received_at_ns,
        readings.raw,
    )
