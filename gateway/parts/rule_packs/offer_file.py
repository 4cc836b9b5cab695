"""Offers of rule packs as the box keeps them: one small file each, whole or not at all, never removed.

In: an offer from the mailbox, and what came of it. Out: `KeptOffer`s. A file that cannot be read is named and left
alone. Knows no rule.
"""

import hashlib
import logging
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from contract.mailbox import RulePackOffer
from gateway.settings.kept_packs import FOLDER
from kit.durable import write_whole

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What came of an offer. HEARD: nothing yet. The others are the contract's words."""

    HEARD = "heard"
    WAITING = "waiting"
    ACTIVE = "active"
    REFUSED = "refused"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class KeptOffer(BaseModel):
    """One offer. `number`: its place in the mailbox of `uplink`. `asks`: a person at the site is to decide."""

    model_config = ConfigDict(frozen=True)

    offer: RulePackOffer
    uplink: str
    number: int
    asks: bool
    heard_at_ns: int
    outcome: Outcome = Outcome.HEARD
    words_zh: str = ""
    words_en: str = ""
    user: str = ""
    decided_at_ns: int = 0


class OfferShelf:
    """Offers in the box's data folder. Blocks on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER / "offers"

    def keep(self, kept: KeptOffer) -> None:
        """On the disk when this returns. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._path(kept.offer.offer_id), kept.model_dump_json().encode())

    def find(self, offer_id: str) -> KeptOffer | None:
        """The offer that has this id, None where none has."""
        path = self._path(offer_id)
        return self._read(path) if path.exists() else None

    def all(self) -> Sequence[KeptOffer]:
        """Every offer, in the order in which they came."""
        found = [self._read(path) for path in sorted(self._folder.glob("*.json"))]
        return sorted((kept for kept in found if kept is not None), key=lambda kept: (kept.heard_at_ns, kept.number))

    def _path(self, offer_id: str) -> Path:
        """An id is the regulator's and no file name."""
        return self._folder / f"{hashlib.sha256(offer_id.encode()).hexdigest()}.json"

    @staticmethod
    def _read(path: Path) -> KeptOffer | None:
        try:
            return KeptOffer.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            log.error("event=pack_offer_unreadable file=%s reason=%r", path, str(error)[:300])
            return None
