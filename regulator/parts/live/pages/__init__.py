"""Pages of live video."""
