"""The edge process: readings in, judged and kept, alarms and hazard alerts out."""

__version__ = "0.1.0"
