"""The command line: ``vek1-api run | api | worker | migrate | doctor | reembed | seed``."""

import sys

import typer

from vek1_api.cli.commands import app
from vek1_api.cli.errors import EXPECTED, lines_of


def main() -> None:
    """Run a command; what may go wrong outside the program is said in plain lines."""
    try:
        app()
    except EXPECTED as error:
        for line in lines_of(error):
            typer.echo(f"vek1-api: {line}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


__all__ = ["main"]
