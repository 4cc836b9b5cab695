"""Migrations of the desk's database, in order."""
