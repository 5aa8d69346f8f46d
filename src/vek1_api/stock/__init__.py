"""The ledger of stock, and a store's ERP: in and out."""
