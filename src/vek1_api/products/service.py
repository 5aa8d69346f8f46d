"""What other domains may ask of the catalogue."""

from vek1_api.products.models import Product

MODEL = Product
"""For ``access.grants.assert_in_store``, where a request refers to products."""
