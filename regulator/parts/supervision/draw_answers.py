"""The files of a random draw, as models of the published schema. Their bytes are frozen: `supervision.draw_method`."""

from typing import Annotated, Literal

from pydantic import Field

from screens.published import Answer

DrawIdText = Annotated[str, Field(examples=["0f3a9c5e7b1d42688a90c1d2e3f40516"])]
ProjectCode = Annotated[str, Field(examples=["GD-4401-001"])]
UserId = Annotated[str, Field(examples=["u-7"])]
BandText = Annotated[str, Field(description="The project's band of risk", examples=["high"])]
Version = Annotated[int | str, Field(description="Of the file's shape and the method", examples=[1])]


class StratumPart(Answer):
    """How many are drawn of a band."""

    band: BandText
    draw: int


class ProjectPart(Answer):
    """A project that can be drawn: the heavier, the likelier within its band."""

    code: ProjectCode
    band: BandText
    weight: int


class InspectorPart(Answer):
    """Somebody who can be drawn, and the projects that they must not go to."""

    id: UserId
    excluded: list[ProjectCode]


class PoolFile(Answer):
    """What was frozen before the draw."""

    version: Version
    draw_id: DrawIdText
    edition: Annotated[str, Field(description="Of the rules of drawing", examples=["2026"])]
    inspectors_each: int
    strata: list[StratumPart]
    projects: list[ProjectPart]
    inspectors: list[InspectorPart]


class TargetPart(Answer):
    """One drawn project and who goes there."""

    code: ProjectCode
    band: Literal["high", "medium", "low"]
    inspectors: list[UserId]


class ResultFile(Answer):
    """What was drawn, in its order."""

    version: Version
    draw_id: DrawIdText
    seed: Annotated[str, Field(description="Of the draw, hex", examples=["9f86d081884c7d65"])]
    targets: list[TargetPart]
