"""Customers' proofs of payment: kept private, byte for byte, and read for the merchant."""
