"""Payments of orders: charges at AbacatePay, its webhooks, refunds."""
