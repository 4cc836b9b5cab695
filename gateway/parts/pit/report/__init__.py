"""Reports that people sign and keep: the daily report of a pit, its first print kept with its digest.

In: what is known at one moment, as frozen data. Out: HTML and PDF, files in the data folder. Renders what it is handed:
asks no store, reads no clock, judges nothing.
"""
