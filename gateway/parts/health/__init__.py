"""The page that says how well the box itself is."""
