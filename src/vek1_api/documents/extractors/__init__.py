"""One module for each kind of file with text in it; see ``documents.extraction``."""
