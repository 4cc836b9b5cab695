"""The box's own web face: a live page, the live API, health and metrics. Reads one model, commands use one door."""
