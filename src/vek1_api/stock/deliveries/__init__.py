"""Telling a store's ERP of every change: messages, their sending, what became of them."""
