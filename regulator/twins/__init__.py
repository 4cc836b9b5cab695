"""Simulated site boxes: the real contract with real keys, chains, receipts and pictures, but no site behind them.

For the demonstration (a province of 500 sites beside one live gateway) and for measurements. They are marked as such:
their software is `sitewarden box twin`, and their project codes and names are made up.
"""
