"""The personas that sell: who they are, where they speak, what they may spend."""
