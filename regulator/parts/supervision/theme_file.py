"""Topics for monthly themes. In: YAML. Out: a frozen `ThemeFile`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from regulator.base.kinds import Category, WorkType
from regulator.parts.supervision.files import Part, Words, load
from regulator.parts.supervision.risk import Band

FILE = "themes.yaml"
Percent = Annotated[int, Field(ge=1, le=100)]


class Topic(Part):
    """One topic. `source`: the notice's row. Filters: empty for any; `any_works`: with some dangerous work."""

    id: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    source: Annotated[str, Field(pattern=r"^[A-E][0-9]{1,2}$")]
    zh: Words
    en: Words
    category: str = ""
    works_type: str = ""
    band: str = ""
    any_works: bool = False

    @model_validator(mode="after")
    def _known(self) -> "Topic":
        for text, kind in ((self.category, Category), (self.works_type, WorkType), (self.band, Band)):
            if text:
                kind.of(text)
        return self


class ThemeFile(Part):
    """`target_percent`: how much of the projects is to be checked unless somebody says otherwise."""

    version: Literal[1]
    target_percent: Percent
    topics: tuple[Topic, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> "ThemeFile":
        ids = [topic.id for topic in self.topics]
        if twice := sorted({each for each in ids if ids.count(each) > 1}):
            raise ValueError(f"expected every id once, twice are {', '.join(twice)}")
        return self


def load_themes(path: Path | None = None) -> ThemeFile:
    """The product's file, or the one at `path`. Raises PackError naming every fault."""
    return load(ThemeFile, FILE, path)
