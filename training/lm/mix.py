"""Sampling weights of the corpus sources: how often each is read in one epoch."""

PART = {
    "enwiki2015": 1.0,
    "gutenberg_1900plus": 1.0,
    "gutenberg_pre1900": 0.9,
    "changelog_pre2020": 0.8,
    "presidential_speeches": 0.8,
    "openstax_ccby": 1.0,
    "blogs_cc_pre2020": 2.0,
    "scp_fiction_pre2020": 3.0,
    "masc_nltk": 4.0,
    "ud_ewt_web": 4.0,
}
# 156 million tokens a pass: 39 % encyclopaedia, 26 % newer and 10 % older books, 25 % all others
WHOLE = {
    "enwiki2015": 0.8,
    "gutenberg_1900plus": 1.4,
    "gutenberg_pre1900": 1.0,
    "changelog_pre2020": 1.8,
    "presidential_speeches": 1.8,
    "openstax_ccby": 2.0,
    "blogs_cc_pre2020": 2.5,
    "scp_fiction_pre2020": 3.0,
    "masc_nltk": 3.0,
    "ud_ewt_web": 3.0,
}
MIXES = {"part": PART, "whole": WHOLE}
