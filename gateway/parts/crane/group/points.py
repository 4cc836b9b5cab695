"""The points that a group of cranes derives: names, units, and what is believable.

In: the members. Out: `Point`s of the group's virtual device, crane by crane. Knows nothing of how they are derived.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.model.quantity import Point
from gateway.parts.crane.group.members import GroupMember


@dataclass(frozen=True, slots=True)
class OutputKey:
    """One derived quantity of each crane."""

    key: str
    unit: str
    title_zh: str
    title_en: str
    minimum: float
    maximum: float


OUTPUTS = (
    OutputKey("min_distance_m", "m", "与邻塔最小距离", "Smallest distance to a crane", 0.0, 2000.0),
    OutputKey("known_distance_m", "m", "与在线邻塔最小距离", "Smallest distance to a crane heard", 0.0, 2000.0),
    OutputKey("predicted_distance_m", "m", "制动时间内预测距离", "Distance ahead within braking", 0.0, 2000.0),
    OutputKey("conflict_in_s", "s", "距冲突时间", "Time to conflict", 0.0, 3600.0),
    OutputKey("conflict_with", "", "冲突塔机编号（-1 无）", "In conflict with crane no. (-1 none)", -1.0, 15.0),
    OutputKey("right_of_way", "", "让行（0 无需 1 先行 2 让行）", "Right of way (0 none, 1 has, 2 gives)", 0.0, 2.0),
    OutputKey("collision_flag_disagrees", "", "防碰撞标志不一致", "Device's collision flag disagrees", 0.0, 1.0),
)
"""Ten times a second, for every crane of a group."""

CLEARANCES = (
    OutputKey("jib_mast_clearance_m", "m", "臂端与邻塔塔身净距", "Jib tip to mast, horizontally", -500.0, 500.0),
    OutputKey("vertical_clearance_m", "m", "高低塔垂直净距", "Upper crane to lower one, vertically", -700.0, 700.0),
)
"""As the cranes stand, for those with a neighbour whose jib can reach theirs."""


def points_of(
    device: str, members: Sequence[GroupMember], keys: Sequence[OutputKey], stale_after_s: float
) -> tuple[Point, ...]:
    """The points of some members, crane by crane in the order of `keys`."""
    return tuple(
        Point(
            point_id=f"{member.asset}.{key.key}",
            asset=member.asset,
            quantity=key.key,
            unit=key.unit,
            device=device,
            title_zh=key.title_zh,
            title_en=key.title_en,
            minimum=key.minimum,
            maximum=key.maximum,
            stale_after_s=stale_after_s,
            source=device,
        )
        for member in members
        for key in keys
    )
