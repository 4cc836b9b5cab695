"""Torch lies in the training's own environment: elsewhere there is nothing to collect here."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]
