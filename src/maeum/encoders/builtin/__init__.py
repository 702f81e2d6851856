"""Encoders that need no download and no torch: numpy, scipy and hashed counts."""
