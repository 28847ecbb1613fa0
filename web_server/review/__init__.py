"""What people decide: labels, votes, decisions, claims, comments, stars, searches."""
