"""Every figure with its count, its window and its target; what cannot be said is UNKNOWN with why, never zero."""
