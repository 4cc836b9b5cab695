"""Regions, firms, projects, who builds what, devices and dangerous works: what scopes, lists and statistics hang on.

A project whose box enrolled before anybody registered it has the status `unregistered` and no region: only the
province's administrators see it, as a finding. Nothing is deleted: what is over has the status `ended`.
"""

from sqlalchemy import Index, Table

from regulator.base.records.tables.metadata import METADATA, flag, moment, text

regions = Table(
    "regions",
    METADATA,
    text("code", key=True),
    text("name", default=None),
    text("level", default=None),
    text("parent"),
    text("status", default="active"),
)
"""`level`: province, city or county; `parent` is the code of the region above."""

firms = Table(
    "firms",
    METADATA,
    text("firm_code", key=True),
    text("name", default=None),
    text("kind"),
    text("status", default="active"),
)

projects = Table(
    "projects",
    METADATA,
    text("project_code", key=True),
    text("name", default=None),
    text("province_code"),
    text("city_code"),
    text("county_code"),
    text("category", default="other"),
    text("stage"),
    text("dangerous_works", default="[]"),
    text("status", default="registered"),
    text("started_on"),
    text("finished_on"),
    text("stopped_since"),
    text("address"),
    moment("registered_at_ns"),
    Index("ix_projects_by_city", "city_code", "county_code"),
    Index("ix_projects_by_county", "county_code"),
)
"""`category`: gov_building, urban_rail, municipal_tunnel or other. `dangerous_works`: a JSON list of the types that are
running or planned, kept from the works below. `status`: unregistered, registered, running, stopped, finished, ended.
`started_on`, `finished_on`, `stopped_since`: days (ISO), empty while unknown.
"""

project_firms = Table(
    "project_firms",
    METADATA,
    text("project_code", key=True),
    text("firm_code", key=True),
    text("role", key=True),
    text("status", default="active"),
    Index("ix_project_firms_by_firm", "firm_code"),
)
"""`role`: owner, contractor, supervisor, monitor, rental. `status`: active, ended; a firm that left sees it no more."""

devices = Table(
    "devices",
    METADATA,
    text("project_code", key=True),
    text("device_code", key=True),
    text("kind", default=None),
    text("name", default=None),
    text("firm_code"),
    text("serial"),
    text("registration"),
    text("asset"),
    text("status", default="active"),
    moment("registered_at_ns"),
    moment("ended_at_ns"),
    Index("ix_devices_by_firm", "firm_code"),
)
"""`asset`: how the site's box calls it. `registration`: the crane's use registration. `status`: active, ended."""

dangerous_works = Table(
    "dangerous_works",
    METADATA,
    text("project_code", key=True),
    text("work_code", key=True),
    text("type", default=None),
    text("name", default=None),
    flag("over_scale"),
    text("stage", default="planned"),
    text("from_day"),
    text("to_day"),
    moment("registered_at_ns"),
    Index("ix_dangerous_works_by_day", "from_day"),
)
"""A dangerous work (危大工程). `stage`: planned, running, paused, finished, ended. Days are ISO."""

work_watches = Table(
    "work_watches",
    METADATA,
    text("project_code", key=True),
    text("work_code", key=True),
    text("device_code", key=True),
    moment("since_ns"),
    moment("until_ns"),
)
"""Which camera watches which work; `until_ns` 0 while it does."""
