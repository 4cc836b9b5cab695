"""The desk's key as a running replica holds it: what another replica changed, this one signs with seconds later.

    use (a command) --> database: which key --> `follow`, every few seconds --> file --> signs from then on

In: the database and the key's file, which all replicas share. Out: a `SignKey` whose `present` is the key in use.
What is signed between the change and the next look is signed with the key before, and holds: boxes and the ledger know
both.
"""

import logging
from pathlib import Path

from contract.signing import SignKey, VerifyKey
from regulator.base.keys.desk_key import open_key
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.key_history import key_in_use

log = logging.getLogger(__name__)
FOLLOW_EVERY_S = 5.0


class RunningKey:
    """Signs with `present`. Whoever puts a key's name beside its signature takes `present` once and uses that."""

    def __init__(self, database: DeskDatabase, key_file: Path, key: SignKey) -> None:
        self._database, self._key_file, self._key = database, key_file, key

    @property
    def present(self) -> SignKey:
        """The private key with which the desk signs now."""
        return self._key

    @property
    def public(self) -> VerifyKey:
        """The public half of the key that signs now."""
        return self._key.public

    def sign(self, data: bytes) -> str:
        """A signature by the key that signs now."""
        return self._key.sign(data)

    def pem(self) -> bytes:
        """The key that signs now, as PEM text."""
        return self._key.pem()

    def follow(self, now_ns: int) -> None:
        """Job: one small question to the database, and the file only when the answer is another key. Raises ValueError
        or OSError while the file does not hold that key: the key before goes on signing."""
        with self._database.reading() as db:
            in_use = key_in_use(db)
        before = self._key.public.key_id
        if in_use != before:
            self._key = open_key(self._database, self._key_file, now_ns)
            log.warning("event=desk_key_followed before=%s now=%s", before, self._key.public.key_id)
