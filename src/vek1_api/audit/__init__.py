"""What happened, by whom: written by the transaction of the change itself, never changed."""
