"""Blurred faces."""
