"""How a store and its ERP are connected: addresses, switches, secrets."""
