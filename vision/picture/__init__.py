"""A frame and what is found in it."""
