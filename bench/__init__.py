"""Measurements, printed as figures: `make bench`. Real servers of the tests, on loopback, bounded in time."""
