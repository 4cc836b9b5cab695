"""One record on its way to a platform, in our own names and units."""

from collections.abc import Mapping
from dataclasses import dataclass

from docking.quantities import RecordKind

Value = float | int | str | bool | bytes
"""NUMBER: float in the quantity's unit. INSTANT: UTC ns. FLAG: bool. BYTES: as captured."""


@dataclass(frozen=True, slots=True)
class DockingRecord:
    """What is known; a quantity that is not in `values` is unknown, and nothing stands in for it.

    `record_id` stays the same however often the record is sent; `observed_at_ns` (UTC) is when it was measured.
    """

    kind: RecordKind
    record_id: str
    observed_at_ns: int
    values: Mapping[str, Value]
