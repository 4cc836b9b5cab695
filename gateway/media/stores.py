"""What every part that keeps pictures holds on to."""

from dataclasses import dataclass

from gateway.line.recorder import Recorder
from gateway.media.catching_up import Chain
from gateway.media.index import MediaIndex
from gateway.media.shelf import MediaShelf
from gateway.ports import Clock


@dataclass(frozen=True, slots=True)
class MediaStores:
    """Bodies, their index, and the chain to read and to write."""

    index: MediaIndex
    shelf: MediaShelf
    chain: Chain
    recorder: Recorder
    clock: Clock
