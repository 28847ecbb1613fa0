"""Pictures of a run: diagnostic plots, overlays and postage stamps."""
