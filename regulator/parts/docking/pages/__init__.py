"""Pages of the provincial platforms."""
