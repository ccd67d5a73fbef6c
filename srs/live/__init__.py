"""Calls under way: what is known of them, acting on them, listening in."""
