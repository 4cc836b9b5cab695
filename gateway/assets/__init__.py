"""What the box knows of a crane and of a pit: quantities that no instrument reads, derived from those that are read.

In: descriptions of assets and the values of points. Out: derived points, which the rules judge like any other, and
records such as a crane's working cycles. Pure: no I/O, no clock; time is an argument. Knows nothing of limits
and rules.
"""
