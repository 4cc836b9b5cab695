"""Which alarms come before a reviewer: the funnel's stages as data.

In: a YAML file. Out: frozen stages. The stages that look at an alarm at once are asked by `arrivals`, those that wait
by its sweep. Knows no database.
"""

import re
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.messages import Severity
from regulator.base.packs import config_root

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS


class Stage(Enum):
    """Why an alarm was put before a reviewer."""

    HANDED_OVER = "handed_over"
    PRIORITY = "priority"
    REPEATED = "repeated"
    FLOOD = "flood"
    UNACKNOWLEDGED = "unacknowledged"
    BLINDED = "blinded"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AtOnce(_Part):
    """Every alarm of these priorities."""

    severities: tuple[Severity, ...]


class Unacknowledged(_Part):
    """Alarms of these priorities that nobody at the site acknowledged for so long, by the desk's clock."""

    severities: tuple[Severity, ...]
    after_min: Annotated[int, Field(ge=1)]

    @property
    def after_ns(self) -> int:
        """The same length of time in nanoseconds."""
        return self.after_min * MINUTE_NS


class Repeated(_Part):
    """The same rule at the same place, raised `times` times within `within_h` hours."""

    severities: tuple[Severity, ...]
    times: Annotated[int, Field(ge=2)]
    within_h: Annotated[int, Field(ge=1)]

    @property
    def within_ns(self) -> int:
        """The same length of time in nanoseconds."""
        return self.within_h * HOUR_NS


class Blinded(_Part):
    """Alarms of what watches (rule ids, `*` for anything) that last so long."""

    rules: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.*-]+$")], ...]
    after_min: Annotated[int, Field(ge=1)]

    @property
    def after_ns(self) -> int:
        """The same length of time in nanoseconds."""
        return self.after_min * MINUTE_NS

    def covers(self, rule_id: str) -> bool:
        """Whether a rule is one of these."""
        return any(re.fullmatch(re.escape(rule).replace(r"\*", ".*"), rule_id) for rule in self.rules)

    @property
    def like_patterns(self) -> tuple[str, ...]:
        r"""The same for SQL's LIKE with `\` as its escape."""
        return tuple(rule.replace("_", r"\_").replace("*", "%") for rule in self.rules)


class Flood(_Part):
    """More than so many alarms of one project within so many minutes."""

    more_than: Annotated[int, Field(ge=1)]
    within_min: Annotated[int, Field(ge=1)]

    @property
    def within_ns(self) -> int:
        """The same length of time in nanoseconds."""
        return self.within_min * MINUTE_NS


class Stages(_Part):
    """All stages; one that is left out is not used."""

    priority: AtOnce | None = None
    unacknowledged: Unacknowledged | None = None
    repeated: Repeated | None = None
    blinded: Blinded | None = None
    flood: Flood | None = None


class Funnel(_Part):
    """The funnel of one desk."""

    version: Literal[1]
    stages: Stages


def load_funnel(path: Path | None = None) -> Funnel:
    """Read the funnel; without a path the one that comes with the product. Raises ValueError naming file and key."""
    source = path or _own_file()
    try:
        return Funnel.model_validate(yaml.safe_load(source.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"{source.name}: {error}") from None


def _own_file() -> Path:
    return config_root() / "desk/review/funnel.yaml"
