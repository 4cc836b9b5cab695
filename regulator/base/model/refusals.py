"""Refusals of the desk, the same as the box's."""

from kit.refusals import RefusedError

__all__ = ["RefusedError"]
