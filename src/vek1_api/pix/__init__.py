"""PIX without a network: codes, keys, pictures, and what a receipt says."""
