"""What the pipeline writes, and the pages that show it."""
