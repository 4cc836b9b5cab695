"""The edge process: readings in, judged and kept, alarms and hazard alerts out."""
