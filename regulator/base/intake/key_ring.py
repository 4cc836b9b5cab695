"""Public keys of boxes that were used lately, so that not every message asks the database for the same key again.

A key in here may have been retired since: `admission` asks the database, under the lock of the box's row, whether it is
still in force. So the ring only saves the look-up that finds out whom to check a signature against.
"""

import threading
from collections import OrderedDict

from contract.signing import VerifyKey

MOST_KEYS = 4096


class KeyRing:
    """The newest `MOST_KEYS`, by box id and key id. Thread-safe."""

    def __init__(self) -> None:
        self._keys: OrderedDict[tuple[str, str], VerifyKey] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, box_id: str, key_id: str) -> VerifyKey | None:
        """The key, when it was used lately."""
        with self._lock:
            return self._keys.get((box_id, key_id))

    def remember(self, box_id: str, key_id: str, key: VerifyKey) -> None:
        """A key that the database holds."""
        with self._lock:
            self._keys[box_id, key_id] = key
            if len(self._keys) > MOST_KEYS:
                self._keys.popitem(last=False)
