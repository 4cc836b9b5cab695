"""Numbers in bytes: how they lie, what a table may say of one, and how many are read at once. For every driver."""
