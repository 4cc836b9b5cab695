"""What the settings of all drivers have in common. Each driver narrows these; unknown keys are refused.

Knows nothing of files: `gateway.settings` reads YAML and validates it with these models.
"""

import sys
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$")]
PointKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Certainty = Literal["V1", "V2", "V2x", "M-H", "M-M", "M-L", "PD"]


def _listed(value: object) -> object:
    """One key may stand without a list."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


FaultKeys = Annotated[
    tuple[PointKey, ...],
    BeforeValidator(_listed, json_schema_input_type=PointKey | Annotated[list[PointKey], Field(max_length=16)]),
    Field(max_length=16),
]


class Schema(BaseModel):
    """Frozen, strict about unknown keys, NaN and infinity refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LinkSettings(Schema):
    """One connection. `id` names it for devices; `driver` chooses the protocol."""

    id: Name
    driver: str


class DeviceSettings(Schema):
    """One device on a link: whose asset it measures, and by which table it is read.

    `prefix` goes before the table's keys: for a device model that stands several times on one asset (the nodes of an
    inclinometer chain, a second anemometer). Rules go on to call its points by the table's own keys.
    """

    id: Name
    link: Name
    asset: Name
    table: Name
    prefix: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,30})?$")] = ""


class TablePoint(Schema):
    """One signal of a device table. Its id on the box is `<asset>.<key>`, a device's prefix before the key. Outside
    `min`..`max` it is BAD.

    `sentinels` are raw values (before scaling) with which the device says "no value". `deadband` thins what is reported
    to time series receivers; history and rules get every value (`gateway.uplinks.deadband`).

    `fault` names one or more points of the same table: the bits by which the device says that this point's sensor is
    in fault. While one of them is delivered in the same poll or message and is not 0, a GOOD value here is SUSPECT:
    shown and kept, judged UNKNOWN. A bit that is not delivered, or is BAD, casts no doubt.

    `item` is what rules call the point where several of the table mean the same (the places of a camera's findings);
    without it they call it by its key.

    A point that is `on_request` is a check that a site asks for by its item. It is there only for a device that asks
    for it (`DeviceTable.for_device`), and SUSPECT, judged UNKNOWN, until commissioning has confirmed it on its asset.
    """

    key: PointKey
    item: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,62})?$")] = ""
    unit: str = ""
    title_zh: str
    title_en: str
    scale: float = 1.0
    offset: float = 0.0
    min: float = -1.0e300
    max: float = 1.0e300
    sentinels: tuple[float, ...] = ()
    stale_after_s: Annotated[float, Field(gt=0)] = 30.0
    deadband: Annotated[float, Field(ge=0)] = 0.0
    fault: FaultKeys = ()
    on_request: bool = False

    @field_validator("max")
    @classmethod
    def _not_below_min(cls, value: float, others: ValidationInfo) -> float:
        low = others.data.get("min", value)
        if value < low:
            raise PydanticCustomError("table.bounds", "max is below min", {"low": f"{low:g}", "high": f"{value:g}"})
        return value

    @property
    def number(self) -> "TablePoint":
        """The point as the decoder of numbers reads it."""
        return self

    @property
    def rounding(self) -> float:
        """Relative error that storing in the type, scaling and adding may leave."""
        return 4 * sys.float_info.epsilon

    @property
    def places(self) -> str:
        """The key of the point that tells how many decimal places this one has; empty where none does."""
        return ""

    def raw_sentinel(self, sentinel: float) -> float:
        """The raw value that a decoder sees for this sentinel."""
        return sentinel


class DeviceTable(Schema):
    """A device model: where its map comes from, how sure that is, and its points (narrowed by each driver)."""

    version: Literal[1]
    model: Name
    driver: str
    title_zh: str
    title_en: str
    source: str
    certainty: Certainty

    def for_device(self, settings: DeviceSettings) -> Self:  # noqa: ARG002 - a table that asks nobody is the same for all
        """The table as this device has it: without the points that it does not ask for."""
        return self


def check_fault_bits(points: Sequence[TablePoint]) -> None:
    """Raises ValidationError for every `fault` that names no point of the table, or the point itself."""
    keys = {point.key for point in points}
    wrong = [
        InitErrorDetails(
            type=PydanticCustomError("table.fault", "no other point of this table", {"found": bit}),
            loc=("points", i, "fault"),
            input=bit,
        )
        for i, point in enumerate(points)
        for bit in point.fault
        if bit == point.key or bit not in keys
    ]
    if wrong:
        raise ValidationError.from_exception_data("fault", wrong)
