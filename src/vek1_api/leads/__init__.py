"""Who may buy: one person, one lead, and what is remembered of them."""
