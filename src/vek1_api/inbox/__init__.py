"""Webhooks as they came, kept before anybody understood them."""
