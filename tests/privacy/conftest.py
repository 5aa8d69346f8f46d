"""The database, for looking at what the API wrote."""

from tests.access.conftest import db
