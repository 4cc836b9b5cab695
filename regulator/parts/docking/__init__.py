"""The desk towards a platform above it: what is to be said, by whom, what the platform answered."""
