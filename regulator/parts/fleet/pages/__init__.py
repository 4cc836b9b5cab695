"""Pages of boxes, their codes, versions and findings."""
