"""Regions, firms, projects and who builds what: what scopes, lists and statistics hang on.

A project whose box enrolled before anybody registered it has the status `unregistered` and no region: only the
province's administrators see it, as a finding.
"""

from sqlalchemy import Index, Table

from regulator.records.metadata import METADATA, moment, text

regions = Table(
    "regions", METADATA, text("code", key=True), text("name", default=None), text("level", default=None), text("parent")
)
"""`level`: province, city or county; `parent` is the code of the region above."""

firms = Table("firms", METADATA, text("firm_code", key=True), text("name", default=None), text("kind"))

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
    moment("registered_at_ns"),
    Index("ix_projects_by_city", "city_code", "county_code"),
    Index("ix_projects_by_county", "county_code"),
)
"""`category`: gov_building, urban_rail, municipal_tunnel or other. `dangerous_works`: a JSON list of types."""

project_firms = Table(
    "project_firms", METADATA, text("project_code", key=True), text("firm_code", key=True), text("role", key=True)
)
"""`role`: owner, contractor, supervisor, monitor, rental."""
