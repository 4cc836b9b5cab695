"""An intake on both databases, as the intake's own tests have it."""

from tests.desk.intake.conftest import box, intake

__all__ = ["box", "intake"]
