"""Keeping a box in operation: backup, doctor, and their command line."""
