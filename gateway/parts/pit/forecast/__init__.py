"""The early warning: from a point's series to the time at which it would fail. Pure."""
