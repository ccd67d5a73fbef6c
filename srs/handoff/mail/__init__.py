"""Recordings by mail."""

KIND = "mail"
"""Of its tasks."""
