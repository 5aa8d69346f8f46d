from tests.access.conftest import db
