"""Measuring a detector on labelled pictures."""
