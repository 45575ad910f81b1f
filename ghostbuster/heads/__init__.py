"""Features to one raw score a text: logistic regression, LightGBM, and the lexicon of words.

A head can be trained; a trained head is all that scoring needs. May import `reading` and every room below it.
"""
