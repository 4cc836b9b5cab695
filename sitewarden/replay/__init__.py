"""Kept or recorded series judged again by today's rules."""
