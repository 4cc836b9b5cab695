"""Pages of hazards."""
