"""What a camera can judge of whom it sees: people of a frame, person-seconds by hour, rows that are near enough."""
