"""What operations look at: health, metrics, the job queue."""
