"""The helmet check: looks at heads, votes, places."""
