"""Lists handed in as CSV or XLSX: read with limits, checked line by line, shown, and only then taken over."""
