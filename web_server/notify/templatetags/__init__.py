"""What templates show of the queue."""
