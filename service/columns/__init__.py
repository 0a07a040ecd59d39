"""Visits as columns: the parts and live rows of one moment, filtered and counted by numpy."""
