"""The review desk: the funnel's items, judged by people; what comes of their verdicts."""
