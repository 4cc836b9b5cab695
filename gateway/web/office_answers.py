"""What the API answers about a crane's cycles, a pit's readings and reports, and the settings. Models of the schema."""

from typing import Annotated

from pydantic import Field

from gateway.web.answer_fields import AssetText, DayText, Ns, PointText, SeqInt, Sha256Text
from gateway.web.health_answers import ConfigFault
from screens.published import Answer, ErrorDetail

Value = bool | int | float | str | list[str] | None
DriverText = Annotated[str, Field(description="A random id or a number; empty: nobody", examples=["3"])]


class CycleRow(Answer):
    """A working cycle: our fields with units in their names, and the docking practice's beside them."""

    number: Annotated[int, Field(description="The crane's cycles count from 1", examples=[17])]
    at_ns: Ns
    driver: DriverText
    fields: Annotated[dict[str, Value], Field(description="null: never known", examples=[{"load_t": 2.5}])]
    docking: Annotated[dict[str, Value], Field(description="Docking names", examples=[{"WorkWeight": 2.5}])]


class CyclesAnswer(Answer):
    """A page of working cycles, newest first."""

    asset: AssetText
    kept: Annotated[int, Field(description="How many cycles the box keeps of this crane", examples=[17])]
    cycles: list[CycleRow]


class LedgerRow(Answer):
    """How many cycles one driver did in one shift."""

    day: DayText
    shift: Annotated[int, Field(description="From 1", examples=[1])]
    driver: DriverText
    cycles: int


class LedgerAnswer(Answer):
    """Cycles by driver and shift."""

    asset: AssetText
    days: int
    kept: int
    ledger: list[LedgerRow]


class TiltBaselineAnswer(Answer):
    """The crane learns its tilt anew; the order is sealed."""

    asset: AssetText
    evidence_seq: SeqInt


class EntryFaultRow(Answer):
    """A line that was not taken."""

    sheet: Annotated[str, Field(description="Empty for CSV", examples=[""])]
    line: Annotated[int, Field(description="From 1; 0: the file or sheet as a whole", examples=[7])]
    code: Annotated[str, Field(examples=["unknown_point"])]
    message_zh: Annotated[str, Field(examples=["未知测点“DJ-99”"])]
    message_en: Annotated[str, Field(examples=["unknown point 'DJ-99'"])]


class ReadingsAnswer(Answer):
    """What was taken of a table, and what was not."""

    accepted: int
    known: Annotated[int, Field(description="Readings that the box had already", examples=[0])]
    faults: list[EntryFaultRow]
    evidence_seq: SeqInt
    sha256: Sha256Text


class BaselineAnswer(Answer):
    """The baseline is in force and sealed."""

    asset: AssetText
    point: PointText
    since_ns: Ns
    evidence_seq: SeqInt


class ReportRow(Answer):
    """A printed daily report."""

    day: DayText
    html_sha256: Sha256Text
    pdf_sha256: Sha256Text
    evidence_seq: SeqInt


class ReportsAnswer(Answer):
    """The daily reports that were printed."""

    asset: AssetText
    reports: list[ReportRow]


class NamesChanged(Answer):
    """Names of one sort, at most 200 of them, and how many there are."""

    count: int
    names: Annotated[list[str], Field(examples=[["crane.moment.alarm @ crane-1.moment_pct"]])]


class ReloadAnswer(Answer):
    """The box runs by the file as it is now."""

    changed: bool
    evidence_seq: Annotated[int, Field(description="The sealed record; 0: nothing changed", examples=[42])]
    changes: Annotated[dict[str, NamesChanged], Field(description="By the sort, such as `rules_changed`")]


class ReloadRefusal(ErrorDetail):
    """Why the running settings stay."""

    faults: Annotated[list[ConfigFault] | None, Field(description="Faults of the file")] = None
    sections: Annotated[list[str] | None, Field(description="What needs a restart", examples=[["web"]])] = None


class ReloadRefusedAnswer(Answer):
    """The reload is refused; the running settings stay."""

    error: ReloadRefusal
