"""Notebooks and metrics for online shops that track with Segment."""

__version__ = "0.1.0"
