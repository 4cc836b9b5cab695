"""A surveyor's table (CSV or Excel) becomes readings, and a list of the lines that could not be taken, with reasons.

In: the file's bytes, the points that it may be about, the time. Out: accepted rows in order of time, and faults by
sheet and line, in Chinese and English. Every good line is taken, however many bad ones there are; nothing is guessed: a
date that can be read two ways, a unit that is not the point's, a date without a time of day are faults. Pure: no files,
no clock, no database.
"""

from gateway.parts.pit.hand_entry.faults import EntryFault, FaultCode, fault_text
from gateway.parts.pit.hand_entry.parsing import AcceptedRow, KnownPoint, ParsedTable, When, known_by_name, parse

__all__ = [
    "AcceptedRow",
    "EntryFault",
    "FaultCode",
    "KnownPoint",
    "ParsedTable",
    "When",
    "fault_text",
    "known_by_name",
    "parse",
]
