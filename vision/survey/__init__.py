"""The drawn survey of a camera's view: zones, ground, lines."""
