"""What a store knows: texts and files, indexed as passages, found and cited."""
