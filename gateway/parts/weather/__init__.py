"""The site's weather, and what it forbids."""
