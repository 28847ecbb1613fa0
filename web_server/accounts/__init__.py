"""Who may look, and who may judge."""
