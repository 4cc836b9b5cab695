"""Who the drivers are, as one part.

In: the stores, the key of the identity file. Out: the watch that others ask, and a record of each disclosure.
"""

from collections.abc import Sequence

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.line.reload import Change
from gateway.line.stores import BoxStores
from gateway.part import Job, Part
from gateway.parts.identity.watch import IdentityWatch
from gateway.settings import Settings


class IdentityPart(Part[Change]):
    """`watch` follows the identity file as commands change it."""

    def __init__(self, stores: BoxStores, recorder: Recorder, settings: Settings) -> None:
        self._recorder, self._clock = recorder, stores.clock
        self.watch = IdentityWatch(stores.folder, settings.identity.key, self._disclosed)

    def jobs(self) -> Sequence[Job]:
        """The file is looked at once a minute."""
        return (Job("identities", lambda: self.watch.run(self._clock)),)

    def _disclosed(self, person_id: str, purpose: str) -> None:
        """An adapter is about to send a person's identity: on record first, by the random id alone."""
        content: dict[str, Canonical] = {"person_id": person_id, "purpose": purpose}
        self._recorder.record(Entry(RecordKind.DISCLOSURE, self._clock.now_ns(), content))
