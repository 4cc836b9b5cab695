"""The wall of pictures."""
