"""Pretrained encoders: weights from the model hub or a folder, never code."""
