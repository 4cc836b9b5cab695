"""Detections joined to tracks."""
