"""Trawl with an invented film service, so that the film routes can be tried without a key."""
