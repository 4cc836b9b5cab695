"""What both web faces are built on: the guard before every route, and what every page needs."""
