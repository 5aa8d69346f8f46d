"""vek1-api: the backend behind AI sales agents of small Brazilian merchants."""
