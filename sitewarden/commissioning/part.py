"""Sheets that were made while the box did not run, as one part: sealed at the next start.

In: the stores, the recorder. Out: chain records.
"""

from gateway.line.recorder import Recorder
from gateway.line.reload import Change
from gateway.line.stores import BoxStores
from gateway.part import Part
from sitewarden.commissioning.sealing import seal_pending


class CommissioningPart(Part[Change]):
    """It works once, and nothing of it runs on."""

    def __init__(self, stores: BoxStores, recorder: Recorder) -> None:
        self._stores, self._recorder = stores, recorder

    async def resume(self) -> None:
        """Seal what is pending, each sheet once."""
        await seal_pending(self._stores.folder, self._stores.alerts, self._recorder, self._stores.clock)
