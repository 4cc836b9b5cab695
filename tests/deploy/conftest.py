"""A real PostgreSQL for what the compose files say of one."""

from tests.fakes.desk_database import postgresql

__all__ = ["postgresql"]
