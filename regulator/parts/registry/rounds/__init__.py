"""Full-coverage rounds (notice A1, A2) and the key-risk list (A7 to A9)."""
