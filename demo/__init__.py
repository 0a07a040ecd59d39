"""Trawl with a made-up film service beside it, so that the film routes can be tried without a key."""
