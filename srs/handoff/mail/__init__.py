"""Recordings by mail."""
