"""What templates show of comments and stars."""
