"""Alarms: the tables that say what can happen, and the table of every row that it happens to."""

from gateway.alarms.alarm_table import AlarmTable
from gateway.alarms.refusal import CommandError
from gateway.alarms.tables import CONDITION, DISPLAY, EPISODE, Phase, Refusal, step

__all__ = ["CONDITION", "DISPLAY", "EPISODE", "AlarmTable", "CommandError", "Phase", "Refusal", "step"]
