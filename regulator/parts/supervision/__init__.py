"""Differentiated supervision (差异化监管): risk scores, random draws, themes, safety logs, the reporting calendar."""
