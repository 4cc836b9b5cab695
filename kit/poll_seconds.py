"""How long devices take to answer: filled by what polls, shown on `/metrics`."""

from prometheus_client import Histogram

POLL_SECONDS = Histogram(
    "sitewarden_poll_seconds",
    "From asking a device until its last reply has arrived; polls that failed are not in it",
    ["device"],
    registry=None,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
"""Of this process, since its start."""
