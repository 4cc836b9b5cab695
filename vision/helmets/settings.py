"""Settings of the helmet rule with the source of each number. Pure."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class HelmetSettings:
    """Times in seconds of usable picture. Raises ValueError for what cannot be.

    `thresholds`: operating scores by `SeenClass`; a box below its own is no vote. `min_head_px`:
    height of a head below which nobody can tell, as the looker sees it (`smallest_head_px`; practice figure,
    second-hand: 20 px). A head is bare when its votes of the last `vote_s` say so by `sure_share` of their weight, over
    `min_frames` frames at least, and safe when those of the last `safe_s` do over `min_safe_frames`. Looks at one head
    that lie further apart than `longest_gap_s` do not count as time that it was watched. Nobody seen for `gone_after_s`
    has left. `zone_hold_s`: as long somebody must stand in another zone to be there. `still_after_s`: so long a head
    without a person may not move before it is a thing."""

    thresholds: tuple[float, float, float] = (0.4, 0.4, 0.4)
    places: int = 8
    min_head_px: float = 20.0
    vote_s: float = 5.0
    min_frames: int = 6
    sure_share: float = 0.7
    safe_s: float = 2.0
    min_safe_frames: int = 3
    longest_gap_s: float = 1.2
    gone_after_s: float = 30.0
    zone_hold_s: float = 1.0
    upper_part: float = 0.4
    still_after_s: float = 600.0
    still_forgotten_s: float = 86400.0
    max_heads: int = 256

    def __post_init__(self) -> None:
        for name in ("vote_s", "safe_s", "longest_gap_s", "gone_after_s", "still_after_s", "min_head_px", "upper_part"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected more than 0")
        if not 0.5 < self.sure_share <= 1:
            raise ValueError(f"sure_share is {self.sure_share}, expected more than a half, at most 1")
        if not 1 <= self.places <= 64:
            raise ValueError(f"places is {self.places}, expected 1 to 64")
        if self.safe_s > self.vote_s:
            raise ValueError(f"safe_s is {self.safe_s}, expected at most vote_s, which is {self.vote_s}")

    def smallest_head_px(self, head_scale: float = 1.0) -> float:
        """Height in pixels of the picture from which on a head is judged: the one place that says so. `head_scale`: as
        in `Detections`. A picture that was shrunk for the network needs larger heads; a head that was blown up shows no
        more than its own pixels."""
        return self.min_head_px / min(head_scale, 1.0)


def settings_at(
    fps: float, thresholds: tuple[float, float, float], min_head_px: float = 20.0, vote_s: float = 5.0
) -> HelmetSettings:
    """Settings that can be met at `fps` judged frames a second: below 2 a second the votes take longer, because their
    number does not become smaller. Raises ValueError for what cannot be."""
    if not fps > 0:
        raise ValueError(f"fps is {fps}, expected more than 0")
    usual = HelmetSettings()
    asked = replace(usual, vote_s=vote_s, safe_s=min(usual.safe_s, vote_s))
    return replace(
        asked,
        thresholds=thresholds,
        min_head_px=min_head_px,
        vote_s=max(vote_s, (usual.min_frames + 1) / fps),
        safe_s=max(asked.safe_s, (usual.min_safe_frames + 1) / fps),
        longest_gap_s=max(usual.longest_gap_s, 2.5 / fps),
    )
