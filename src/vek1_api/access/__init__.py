"""Who calls, and what is theirs."""
