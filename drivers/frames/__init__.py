"""Devices that call the box and push frames of their own over TCP: crane hosts, dust and noise stations.

What a frame looks like is data: a table names its marks, length, escapes, checksum, fields, messages and
acknowledgements. New models need no Python.
"""
