"""Differentiated supervision: risk scores, random draws, monthly themes, safety logs and check-ins, calendar marks.

Scores, draws, checks, logs and marks are only ever added; `risk_latest` is the newest row of each project again, and
`risk_dirty` says whose score something has happened to since.
"""

from sqlalchemy import Index, Table, UniqueConstraint

from regulator.base.records.tables.metadata import METADATA, flag, moment, text, whole

risk_scores = Table(
    "risk_scores",
    METADATA,
    text("project_code", key=True),
    whole("scored_at_ns", key=True),
    whole("score"),
    text("band", default=None),
    text("reasons", default="[]"),
    text("factors", default="[]"),
    text("version", default=None),
    text("day", default=None),
    Index("ix_risk_scores_by_day", "day"),
)
"""`score`: 0 to 100, rounded half up. `band`: high, medium, low. `reasons`: a JSON list of the three that weigh most,
each {factor, share, zh, en}, `share` in points of the score with one decimal, as text. `factors`: all seven with
weight, severity and standing, from which the score can be recomputed. `version`: of the formula's file."""

risk_latest = Table(
    "risk_latest",
    METADATA,
    text("project_code", key=True),
    moment("scored_at_ns"),
    whole("score"),
    text("band", default=None),
    text("reasons", default="[]"),
    text("factors", default="[]"),
    text("version", default=None),
    text("day", default=None),
    Index("ix_risk_latest_by_score", "score"),
)
"""The newest score of each project; columns as above."""

risk_dirty = Table("risk_dirty", METADATA, text("project_code", key=True), moment("since_ns"))
"""Whose score has to be computed again before the day ends."""

draws = Table(
    "draws",
    METADATA,
    text("draw_id", key=True),
    text("name", default=None),
    text("level", default=None),
    text("scope_code"),
    text("on_day", default=None),
    text("state", default="frozen"),
    text("pool", default=None),
    text("pool_sha256", default=None),
    text("nonce", default=None),
    text("nonce_sha256", default=None),
    text("frozen_by", default=None),
    moment("frozen_at_ns"),
    text("public_value"),
    text("public_source"),
    moment("public_at_ns"),
    text("seed"),
    text("result"),
    text("result_sha256"),
    text("drawn_by"),
    moment("drawn_at_ns"),
    moment("revealed_at_ns"),
    text("revealed_by"),
    text("round_id"),
    text("redraw_of"),
    text("redraw_reason"),
    Index("ix_draws_by_day", "on_day"),
)
"""A random draw (双随机). `state`: frozen, drawn, revealed, void. `pool`: canonical JSON, never changed once frozen.
`nonce` is shown to nobody before `on_day`; its digest was published with the pool's. `public_at_ns`: when the public
value was published, later than `frozen_at_ns`. `result`: canonical JSON of the targets. `redraw_of`: the void draw that
this one replaces, and why."""

draw_projects = Table(
    "draw_projects",
    METADATA,
    text("draw_id", key=True),
    text("project_code", key=True),
    text("band", default=None),
    whole("weight"),
    whole("place"),
    text("inspectors", default="[]"),
    Index("ix_draw_projects_by_project", "project_code"),
)
"""The pool of a draw, row by row. `place`: 1, 2, 3 ... in the order in which they were drawn, 0: not drawn. Shown to
nobody before the draw's day. `inspectors`: a JSON list of user ids."""

draw_conflicts = Table(
    "draw_conflicts",
    METADATA,
    text("conflict_id", key=True),
    text("user_id", default=None),
    text("project_code"),
    text("firm_code"),
    text("words", default=None),
    text("declared_by", default=None),
    moment("declared_at_ns"),
    text("ended_by"),
    moment("ended_at_ns"),
    Index("ix_draw_conflicts_by_user", "user_id"),
)
"""Conflicts of interest (回避): an inspector who must not be drawn for a project, or for any project of a firm."""

round_targets = Table(
    "round_targets",
    METADATA,
    text("round_id", key=True),
    text("project_code", key=True),
    Index("ix_round_targets_by_project", "project_code"),
)
"""A round over drawn projects only. A round without rows here is one of full coverage."""

themes = Table(
    "themes",
    METADATA,
    text("theme_id", key=True),
    text("month", default=None),
    text("level", default=None),
    text("scope_code"),
    text("topic"),
    text("name", default=None),
    text("category"),
    text("works_type"),
    text("band"),
    whole("target_percent"),
    text("made_by", default=None),
    moment("made_at_ns"),
    UniqueConstraint("month", "level", "scope_code"),
    Index("ix_themes_by_month", "month"),
)
"""One month's theme (一月一主题): a saved filter, and what share of its projects is to be checked. Empty: any."""

theme_checks = Table(
    "theme_checks",
    METADATA,
    text("check_id", key=True),
    text("theme_id", default=None),
    text("project_code", default=None),
    text("on_day", default=None),
    text("outcome", default=None),
    text("words"),
    text("inspector", default=None),
    moment("at_ns"),
    Index("ix_theme_checks_of", "theme_id", "project_code"),
)
"""`outcome`: fits or hazard."""

safety_logs = Table(
    "safety_logs",
    METADATA,
    text("project_code", key=True),
    text("day", key=True),
    text("box_id", key=True),
    text("sha256", default=None),
    text("words"),
    text("signed_by", default=None),
    moment("signed_at_ns"),
    moment("kept_at_ns"),
    whole("evidence_seq"),
    Index("ix_safety_logs_by_day", "day"),
)
"""A day's signed safety log (安全日志). `box_id` empty: entered at the desk, `words` is the log itself; else the box
keeps the log, and its chain's record `evidence_seq` holds the digest `sha256`."""

check_ins = Table(
    "check_ins",
    METADATA,
    text("check_in_id", key=True),
    text("project_code", default=None),
    text("day", default=None),
    text("role", default=None),
    text("person"),
    moment("at_ns"),
    text("box_id"),
    text("recorded_by", default=None),
    moment("recorded_at_ns"),
    whole("evidence_seq"),
    Index("ix_check_ins_by_day", "project_code", "day", "role"),
)
"""A key person's check-in (到岗打卡). `role`: project_manager, safety_officer, supervisor or shift (whoever took over a
shift at the box). `box_id` empty: at the desk."""

safety_log_flags = Table(
    "safety_log_flags",
    METADATA,
    text("project_code", key=True),
    text("day", key=True),
    text("ground", default=None),
    moment("flagged_at_ns"),
    moment("came_at_ns"),
    Index("ix_safety_log_flags_by_day", "day"),
)
"""The log of `day` was missing. `ground`: check_in (somebody checked in on a later day without it) or due_time.
`came_at_ns`: when it arrived after all, 0 while it is missing."""

calendar_marks = Table(
    "calendar_marks",
    METADATA,
    text("entry_id", key=True),
    text("due_on", key=True),
    text("level", key=True),
    text("scope_code", key=True),
    text("words", default=None),
    text("done_by", default=None),
    moment("done_at_ns"),
    flag("late"),
)
"""What a person says is done, of the reporting calendar: entry and due day, for one scope."""
