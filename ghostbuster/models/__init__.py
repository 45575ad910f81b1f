"""Texts to token scores: the weak models and what they share."""
