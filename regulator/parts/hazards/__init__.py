"""Hazards (隐患) at the desk: judged, ordered, put right, rechecked, closed; deadlines, orders, accident clocks.

A hazard is no alarm: acknowledging an alarm changes no hazard, and no alarm that goes away closes one.
"""
