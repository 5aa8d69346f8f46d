"""Orders: what was bought, at which price, from which stock, and how far it is."""
