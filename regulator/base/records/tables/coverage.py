"""What a day brought from each asset of a box, and how far each project got on the coverage ladder that day.

`asset_days` is rolled up as items arrive, inside the transaction that keeps them, so that 500 sites need no search
through millions of minutes. Days are those of Shanghai.
"""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

asset_days = Table(
    "asset_days",
    METADATA,
    text("project_code", key=True),
    text("day", key=True),
    text("box_id", key=True),
    text("asset", key=True),
    whole("minutes"),
    whole("good_minutes"),
    flag("camera"),
    whole("usable_minutes"),
    whole("judged_minutes"),
    moment("last_minute_ns"),
    text("last_state"),
    Index("ix_asset_days_by_day", "day"),
)
"""`good_minutes`: with at least one value of quality good. Of a camera: `usable_minutes` with a usable picture; of
these, `judged_minutes` in which nobody was in sight, or half of the people and more were judged; `last_state`: usable,
unknown, its ailments."""

camera_stills = Table(
    "camera_stills",
    METADATA,
    text("project_code", key=True),
    text("camera_id", key=True),
    text("sha256", default=None),
    text("media_type", default=None),
    text("box_id", default=None),
    text("item_key", default=None),
    moment("captured_at_ns"),
)
"""The last still of each camera. Earlier ones are among the kept items."""

coverage_days = Table(
    "coverage_days",
    METADATA,
    text("day", key=True),
    text("project_code", key=True),
    flag("member"),
    text("reached", default=None),
    text("steps", default=None),
    moment("frozen_at_ns"),
    Index("ix_coverage_days_by_project", "project_code", "day"),
)
"""The ladder as it stood at the end of the day, frozen once; `steps` is JSON of every rung with its reason."""
