"""What the wall's API answers, as models of the published schema."""

from typing import Annotated

from pydantic import Field

from screens.published import Answer

SeqInt = Annotated[int, Field(description="The number of a change", examples=[4711])]
TileRow = Annotated[
    list[str | int],
    Field(
        description=(
            "Tiles: the project's code, its place among `kinds`, then numbers. Changes: the code, the number of the "
            "change, then numbers. The numbers, without zeros at the end: rung of the coverage ladder, whether that "
            "is unknown, link of the box, score + 1 (0: unknown), band, alarms today, open hazards, overdue ones, "
            "gravest active alarm (1 to 3), whether it is unacknowledged, active alarms"
        ),
        examples=[["GD-4401-001", 0, 7, 0, 1, 36, 1, 2]],
    ),
]
Kind = Annotated[
    list[int | str],
    Field(description="Category, stage, a bit for each kind of dangerous work", examples=[[0, "主体", 5]]),
]
City = Annotated[
    list[str | list[TileRow]],
    Field(description="Code, name, the tiles", examples=[["4401", "甲市", [["GD-4401-001", 0, 7]]]]),
]


class TilesAnswer(Answer):
    """Every tile of the wall, in its order."""

    seq: SeqInt
    mark: Annotated[str, Field(description="Changes when the set or its order does", examples=["9f86d081884c"])]
    kinds: list[Kind]
    cities: list[City]


class ChangesAnswer(Answer):
    """Tiles that changed after a number."""

    from_: Annotated[int, Field(alias="from", description="The number that was asked for", examples=[4700])]
    seq: SeqInt
    rows: list[TileRow]
