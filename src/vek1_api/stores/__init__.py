"""A company's stores: what agents, documents, products, leads and orders hang on."""
