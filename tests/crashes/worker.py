"""``vek1-api worker`` whose every-minute jobs come every second: nobody waits for a test."""

import sys
from dataclasses import replace

from vek1_api.cli import main
from vek1_api.core.jobs import PERIODIC
from vek1_api.domains import load_jobs

EVERY_SECOND = "* * * * * *"
SOONER = ("files.sweep", "orders.expire_drafts", "payments.sweep")

if __name__ == "__main__":
    load_jobs()
    for name in SOONER:
        PERIODIC[name] = replace(PERIODIC[name], cron=EVERY_SECOND)
    sys.argv = ["vek1-api", "worker"]
    main()
