"""R1, the wall: one tile a project of the set, in a fixed order; what changes is numbered and told to all who look."""
