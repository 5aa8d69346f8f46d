"""Measures how fast the service is against a floor, and how well its search answers."""
