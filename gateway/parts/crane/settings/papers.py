"""The site file's section `papers` of a crane: registration, inspections, climbing checks, maintenance, ties.

In: plain data. Out: frozen models, and from them what `gateway.parts.crane.model` works with. Knows nothing of files,
and holds no name and no ID number: people are in the encrypted identity file alone.
"""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.model.id_numbers import holds_id_number
from gateway.model.papers import CranePapers, DriverLookup, Period, nobody_known
from gateway.model.papers_ties import ErectionLimits, Tie, TieRegistry
from gateway.settings.schema import SettingsModel


def _no_id_number(text: str) -> str:
    """A site file is read by many; a person's ID-card number belongs into the identity file alone."""
    if holds_id_number(text):
        raise PydanticCustomError("papers.id_number", "no ID-card number")
    return text


Document = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_id_number)]
Firm = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_no_id_number)]
HeightM = Annotated[float, Field(gt=0, le=1000)]


class _PeriodSettings(SettingsModel):
    """Days from and until, both included (local days, UTC+8)."""

    valid_from: date | None = None
    """First day of validity; without it, valid since ever."""
    valid_until: date | None = None
    """Last day of validity, itself included; without it the paper states no end."""

    @model_validator(mode="after")
    def _in_order(self) -> "_PeriodSettings":
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise PydanticCustomError("papers.order", "valid_until lies before valid_from")
        return self

    @property
    def period(self) -> Period:
        """As the model takes it."""
        return Period(self.valid_from, self.valid_until)


class RegistrationSettings(_PeriodSettings):
    """Registration for use (使用登记)."""

    number: Document
    """The number on the registration certificate (使用登记证)."""


class InspectionSettings(_PeriodSettings):
    """One inspection report (检验报告) or acceptance (验收)."""

    document: Document
    """The report's number."""
    by: Firm
    """The body that inspected: a firm, not a person."""


class ClimbingCheckSettings(SettingsModel):
    """One filed check before climbing (顶升前检查): structure, climbing device, ties, bolts, pins, safety devices."""

    on: date
    """The local day of the check."""
    by: Firm
    """The firm that checked: no person's name belongs here."""
    document: Document
    """The number of the check sheet."""


class MaintenanceSettings(SettingsModel):
    """The maintenance plan (维护保养)."""

    due: date
    """Last day for the next maintenance, itself included."""
    document: Document | None = None
    """The plan or the last record."""


class TieSettings(SettingsModel):
    """One tie (附着装置)."""

    height_m: HeightM
    """Height above the base, in the manual's sense, m."""
    fitted_on: date
    """The local day from which it holds the mast."""
    removed_on: date | None = None
    """The local day from which it no longer does."""
    document: Document | None = None
    """The acceptance record."""

    @model_validator(mode="after")
    def _in_order(self) -> "TieSettings":
        if self.removed_on and self.removed_on <= self.fitted_on:
            raise PydanticCustomError("papers.tie_order", "removed_on is not after fitted_on")
        return self


class ErectionLimitsSettings(SettingsModel):
    """The maker's limits for this crane as erected; every figure is from its manual (使用说明书)."""

    max_free_height_m: HeightM | None = None
    """Greatest free height without a tie (独立高度), m."""
    max_overhang_m: HeightM | None = None
    """Greatest overhang above the top tie (悬臂高度), m."""
    max_tie_spacing_m: HeightM | None = None
    """Greatest distance of neighbouring ties (附着间距), m."""
    document: Document
    """Manual and page."""

    @property
    def limits(self) -> ErectionLimits:
        """As the model takes them; NaN where the manual's figure is not filed."""
        return ErectionLimits(*(float("nan") if given is None else given for given in self._given()))

    def _given(self) -> tuple[float | None, ...]:
        return self.max_free_height_m, self.max_overhang_m, self.max_tie_spacing_m


class PapersSettings(SettingsModel):
    """The papers of one crane. What is left out is not known, and is never shown as in order."""

    registration: RegistrationSettings | None = None
    """Registration for use (使用登记)."""
    inspections: tuple[InspectionSettings, ...] | None = None
    """Inspection reports, newest or all; an empty list says: none was made."""
    climbing_checks: tuple[ClimbingCheckSettings, ...] | None = None
    """Filed checks before climbing; an empty list says: none was made, so that any climbing is unchecked."""
    climbing_check_days: Annotated[int, Field(ge=1, le=30)] = 2
    """How many local days a check covers, its own day included. PD: the code names no number."""
    maintenance: MaintenanceSettings | None = None
    """The maintenance plan."""
    erection_limits: ErectionLimitsSettings | None = None
    """The maker's limits of free height, overhang and tie spacing."""
    ties: tuple[TieSettings, ...] = ()
    """Every tie that was ever fitted on this site."""

    def papers(self, asset: str, drivers: DriverLookup = nobody_known) -> CranePapers:
        """The papers as the crane model asks them."""
        return CranePapers(
            asset=asset,
            registration=self.registration.period if self.registration else None,
            climbing_checks=_days(self.climbing_checks),
            climbing_check_days=self.climbing_check_days,
            inspections=None if self.inspections is None else tuple(report.period for report in self.inspections),
            maintenance_due=self.maintenance.due if self.maintenance else None,
            drivers=drivers,
        )

    def tie_registry(self) -> TieRegistry:
        """The ties and limits as the crane model takes them."""
        limits = self.erection_limits.limits if self.erection_limits else ErectionLimits()
        return TieRegistry(limits, tuple(Tie(tie.height_m, tie.fitted_on, tie.removed_on) for tie in self.ties))


def _days(checks: tuple[ClimbingCheckSettings, ...] | None) -> tuple[date, ...] | None:
    return None if checks is None else tuple(check.on for check in checks)
