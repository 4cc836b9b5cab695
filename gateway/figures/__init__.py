"""Figures on the alarm system itself: how many alarms, how they are answered, and what the box did not see.

In: typed rows from whoever can read the store. Out: figures with what they rest on. Pure: numpy, no clock, no I/O.
"""
