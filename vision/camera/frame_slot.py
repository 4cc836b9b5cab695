"""The newest picture of a camera, read from shared memory: for the eye process and for whoever wants one frame.

In: the path of a slot that a capture process writes (`slot_file` says how). Out: `Frame`s that are whole, or None. Any
number of readers; none of them holds up the writer or another reader. Knows nothing of streams.
"""

from pathlib import Path

import numpy as np

from vision.camera import slot_file
from vision.camera.slot_file import BUFFERS, PUBLISHED_AT, SlotMap
from vision.picture.frame import Frame

_TRIES = 4


class FrameSlotReader:
    """A reader of one camera's slot. Raises OSError when the file is not there, ValueError when it is no slot."""

    def __init__(self, path: Path, camera: str) -> None:
        self._camera = camera
        self._slot = SlotMap(path, writable=False)

    def newest(self, after_seq: int = 0, session: int | None = None) -> Frame | None:
        """The newest picture if its number is above `after_seq` or its session another than `session` (None: any);
        else None. Cheap when there is nothing new. None as well when the writer overtook every try to copy."""
        for _ in range(_TRIES):
            number = self._slot.words[PUBLISHED_AT]
            if number == 0:
                return None
            at = self._slot.layout.words_at(number % BUFFERS)
            words = self._slot.words[at : at + slot_file.BUFFER_WORDS].tolist()
            if words[slot_file.LOCK] != 2 * number or self._slot.words[at + slot_file.LOCK] != 2 * number:
                continue
            if words[slot_file.SEQ] <= after_seq and session in (None, words[slot_file.SESSION]):
                return None
            frame = self._copy(number, words)
            if self._slot.words[at + slot_file.LOCK] == 2 * number:
                return frame
        return None

    def _copy(self, number: int, words: list[int]) -> Frame:
        width, height, stride = words[slot_file.WIDTH], words[slot_file.HEIGHT], words[slot_file.STRIDE]
        rows_at = self._slot.layout.rows_at(number % BUFFERS)
        with self._slot.octets[rows_at : rows_at + stride * height] as octets:
            rows = np.frombuffer(octets, np.uint8).reshape(height, stride)
            image = rows[:, : width * 3].reshape(height, width, 3).copy()
            del rows
        return Frame(
            camera=self._camera,
            seq=words[slot_file.SEQ],
            captured_at_ns=words[slot_file.CAPTURED],
            received_at_ns=words[slot_file.RECEIVED],
            stream_time=bool(words[slot_file.STREAM_TIME]),
            session=words[slot_file.SESSION],
            image=image,
        )

    def close(self) -> None:
        """Let go of the memory that was mapped."""
        self._slot.close()
