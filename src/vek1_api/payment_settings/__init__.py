"""How a store is paid: its gateway, its PIX key, cash on delivery; the secrets of it sealed."""
