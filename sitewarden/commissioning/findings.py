"""What a commissioning found: plain records between the walk, the sheet and the evidence. Nothing flows here."""

from dataclasses import dataclass
from enum import StrEnum

from drivers.numbers.types import ByteOrder
from sitewarden.commissioning.known_load import LoadCheck
from sitewarden.commissioning.movement import MovementCheck
from sitewarden.commissioning.orders import OrderGuess


@dataclass(frozen=True, slots=True)
class PointFinding:
    """One point as read: raw words as hex text ('' when they could not be read), value as text, quality's name."""

    key: str
    title_zh: str
    title_en: str
    place: str
    words: str
    value: str
    unit: str
    quality: str
    guess: OrderGuess | None


@dataclass(frozen=True, slots=True)
class DeviceFinding:
    """One device. `reason_zh/en` say why nothing could be read of it, '' otherwise; `refused` names refused blocks."""

    device: str
    asset: str
    address: str
    table: str
    certainty: str
    samples: int
    points: tuple[PointFinding, ...] = ()
    refused: tuple[str, ...] = ()
    looks_like: ByteOrder | None = None
    moment_off_pct: float | None = None
    reason_zh: str = ""
    reason_en: str = ""

    @property
    def sound(self) -> bool:
        """Every point was read, GOOD, in a plausible order, and the moment agrees with the load."""
        good = all(point.quality == "GOOD" for point in self.points)
        orders = not any(point.guess is not None and point.guess.better for point in self.points)
        return bool(self.points) and good and orders and not self.refused and self.moment_off_pct is None


@dataclass(frozen=True, slots=True)
class CraneFinding:
    """One crane: its movements, its known-load check (None: not done), and what becomes of its load alarms.

    `kept_from` names the earlier sheet that still arms the crane when the check was not done again.
    """

    asset: str
    movements: tuple[MovementCheck, ...]
    load: LoadCheck | None
    armed: bool
    reason_zh: str = ""
    reason_en: str = ""
    kept_from: str = ""

    @property
    def sound(self) -> bool:
        """Every movement is proven and the load alarms are armed."""
        return self.armed and bool(self.movements) and all(check.passed for check in self.movements)


class CheckOutcome(StrEnum):
    """What became of a check on a camera. Only CONFIRMED arms it."""

    CONFIRMED = "confirmed"
    NOT_SEEN = "not_seen"
    NOT_CLEARED = "not_cleared"
    BLIND = "blind"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckTrial:
    """One check that a camera is asked for, as it was tried."""

    check: str
    outcome: CheckOutcome


@dataclass(frozen=True, slots=True)
class CameraFinding:
    """One camera that is asked for checks. `confirmed` are those that are believed from now on, earlier ones among
    them that were skipped this time."""

    asset: str
    camera: str
    trials: tuple[CheckTrial, ...]
    confirmed: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether every check of the camera is confirmed."""
        return all(trial.check in self.confirmed for trial in self.trials)


@dataclass(frozen=True, slots=True)
class Commissioning:
    """A whole walk. `at_ns` is when it ended, UTC."""

    box: str
    project_code: str
    site_zh: str
    site_en: str
    software: str
    settings_digest: str
    at_ns: int
    operator: str
    devices: tuple[DeviceFinding, ...]
    cranes: tuple[CraneFinding, ...]
    cameras: tuple[CameraFinding, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is left to do at the site."""
        read = all(device.sound for device in self.devices if not device.reason_en)
        proven = all(crane.sound for crane in self.cranes) and all(camera.sound for camera in self.cameras)
        return read and proven
