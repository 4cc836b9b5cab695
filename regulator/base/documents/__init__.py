"""Numbered documents and tables that leave the desk."""
