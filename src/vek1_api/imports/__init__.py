"""Tables that a company sends as CSV: read, judged row by row, applied batch by batch."""
