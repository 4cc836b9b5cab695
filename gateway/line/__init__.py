"""The straight line: intake, judging, recording, delivery, and the supervisor that keeps them running."""
