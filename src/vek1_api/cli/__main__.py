"""``python -m vek1_api.cli``: how ``run`` starts its children."""

from vek1_api.cli import main

main()
