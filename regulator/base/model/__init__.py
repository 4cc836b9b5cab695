"""What the desk's parts speak of to each other: who acts, where, and what a hazard is. Pure, no I/O."""
