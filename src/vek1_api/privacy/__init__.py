"""What a person may ask about their own data (LGPD): a copy, and to be forgotten."""
