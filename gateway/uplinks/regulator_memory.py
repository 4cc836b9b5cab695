"""Memory of the regulator uplink across restarts: sequence numbers, the regulator's keys, received messages.

In: numbers, keys, messages. Out: small files under the box's data folder, each on the disk before anyone is told.
A crash at any instant skips numbers, never repeats one, and never loses a message that was acknowledged. Knows no
HTTP.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from contract.envelope import SignedText
from contract.keyfile import write_durably
from contract.messages import MailboxMessage
from contract.sequence import MOST_AHEAD
from contract.signing import VerifyKey, verify_key

logger = logging.getLogger(__name__)

BLOCK = 1000


class SequenceFile:
    """Numbers 1, 2, 3 ... that are never used twice. The file holds the end of the block that is reserved.

    A disk that takes nothing stops no alert: numbers go on in memory. After a restart the file is behind then, and the
    regulator says above which number to go on (`jump`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0
        self._end = 0
        self._in_memory = False
        self._lock = asyncio.Lock()

    async def take(self) -> int:
        """The next number. Waits for the disk once in `BLOCK` numbers."""
        while self._next >= self._end:
            await self._reserve(0)
        number = self._next
        self._next += 1
        return number

    async def jump(self, highest: int) -> None:
        """Go on above `highest`, the last number that counts at the regulator: upwards when the file was lost or
        restored, downwards when a damaged one had put the numbers out of the regulator's reach."""
        if highest >= self._next:
            await self._reserve(highest)
        elif self._next - highest > MOST_AHEAD:
            await self._come_back(highest)

    async def _reserve(self, highest: int) -> None:
        async with self._lock:
            if self._next < self._end and highest < self._next:
                return
            used = max(highest, self._end - 1) if self._end else max(highest, await asyncio.to_thread(self._read))
            await self._write(used + BLOCK)
            self._next, self._end = used + 1, used + 1 + BLOCK

    async def _come_back(self, highest: int) -> None:
        async with self._lock:
            if self._next - highest > MOST_AHEAD:
                await self._write(highest + BLOCK)
                self._next, self._end = highest + 1, highest + 1 + BLOCK

    async def _write(self, end: int) -> None:
        try:
            await asyncio.to_thread(write_durably, self._path, str(end).encode())
        except OSError as error:
            if not self._in_memory:
                logger.error("sequence numbers go on in memory: file=%s reason=%s", self._path, error.strerror)
            self._in_memory = True
        else:
            self._in_memory = False

    def _read(self) -> int:
        try:
            text = self._path.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return 0
        except OSError as error:
            text = str(error.strerror)
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            logger.warning("sequence file unreadable, the regulator gives the next number: file=%s", self._path)
            return 0
        return int(text)


class RegulatorKey(BaseModel):
    """A public key of the regulator that this box trusts."""

    model_config = ConfigDict(frozen=True)

    alg: str
    key_id: str
    public_key: str


class Memory(BaseModel):
    """`mailbox_seq`: messages up to it are handled. `rotation_id`: the last change of the box's key. `project_code`:
    what the box is enrolled for, empty when it enrolled before that was remembered."""

    model_config = ConfigDict(frozen=True)

    box_id: str
    project_code: str = ""
    regulator_keys: tuple[RegulatorKey, ...] = ()
    mailbox_seq: int = 0
    rotation_id: str = ""

    def find_key(self, key_id: str) -> VerifyKey | None:
        """The trusted key of this id."""
        for key in self.regulator_keys:
            if key.key_id == key_id:
                return verify_key(key.alg, key.public_key)
        return None


class MemoryFile:
    """The `Memory` of one uplink. `now` is what was last remembered, and is on the disk."""

    def __init__(self, path: Path, box_id: str) -> None:
        self.path = path
        self.now = Memory(box_id=box_id)
        self._loaded = False

    async def load(self) -> None:
        """Read the file once. One that is unreadable or of another box is set aside, and the box enrols again."""
        if not self._loaded:
            self.now = await asyncio.to_thread(self._read)
            self._loaded = True

    async def remember(self, **changes: Any) -> None:
        """Change fields and wait until the disk has them."""
        changed = self.now.model_copy(update=changes)
        await asyncio.to_thread(write_durably, self.path, changed.model_dump_json(indent=1).encode())
        self.now = changed

    def _read(self) -> Memory:
        if not self.path.exists():
            return self.now
        try:
            read = Memory.model_validate_json(self.path.read_bytes())
        except ValidationError:
            logger.warning("the remembered state of the regulator is unreadable: file=%s", self.path)
            return self.now
        if read.box_id != self.now.box_id:
            logger.warning("the remembered state belongs to another box: file=%s box=%s", self.path, read.box_id)
            return self.now
        return read


class Inbox:
    """Signed messages from the regulator, one JSON line each, kept until something on the box works with them.

    Each line holds the exact signed text, so that it proves itself later. A message that is kept already is not kept
    twice; a last line that a crash cut off was never acknowledged and is removed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: set[str] | None = None

    async def keep(self, message: MailboxMessage, signed: SignedText) -> None:
        """On the disk when this returns. Raises OSError."""
        await asyncio.to_thread(self._keep, message.message_id, signed)

    def messages(self) -> list[SignedText]:
        """All that is kept, oldest first."""
        if not self._path.exists():
            return []
        lines = self._path.read_bytes().split(b"\n")[:-1]
        return [SignedText.model_validate(json.loads(line)["signed"]) for line in lines]

    def _keep(self, message_id: str, signed: SignedText) -> None:
        if self._kept is None:
            self._kept = self._open()
        if message_id in self._kept:
            return
        line = json.dumps({"message_id": message_id, "signed": signed.model_dump()}, ensure_ascii=False) + "\n"
        end = self._path.stat().st_size
        try:
            _append(self._path, line.encode())
        except OSError:
            _undo(lambda: os.truncate(self._path, end))
            raise
        self._kept.add(message_id)

    def _open(self) -> set[str]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            logger.warning(
                "incomplete last line of the inbox removed: file=%s bytes=%d", self._path, len(content) - whole
            )
            os.truncate(self._path, whole)
        return {json.loads(line)["message_id"] for line in content[:whole].splitlines()}


def _append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _undo(step: Callable[[], None]) -> None:
    try:
        step()
    except OSError as error:
        logger.error("inbox could not be truncated: error=%s", error)
