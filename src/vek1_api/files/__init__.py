"""What lies in the bucket: every object has a row, and counts against its store's quota."""
