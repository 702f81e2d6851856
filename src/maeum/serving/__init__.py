"""Answers over HTTP: `maeum serve`, and the page on it."""
