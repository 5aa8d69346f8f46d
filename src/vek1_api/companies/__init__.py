"""The tenant: one company for each Better Auth user."""
