"""Builds a box from settings and runs it."""
