#!/usr/bin/env python
"""Write `openapi.json`, the committed contract; a test shows when it is out of date."""

import json
from pathlib import Path

from vek1_api.main import create_app

TARGET = Path(__file__).parents[1] / "openapi.json"


def main() -> None:
    """Write the document of the application as it is now."""
    document = json.dumps(create_app().openapi(), ensure_ascii=False, indent=2)
    TARGET.write_text(f"{document}\n", encoding="utf-8")
    print(f"{TARGET.name} written")


if __name__ == "__main__":
    main()
