"""The demo shop, Serra Azul: real files in Portuguese, and questions that they answer."""
