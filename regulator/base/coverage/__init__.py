"""The coverage ladder: how far each project of the set got, from the list to valid data today, and why no further."""
