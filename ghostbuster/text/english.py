"""English function words: articles, prepositions, pronouns, auxiliaries."""

FUNCTION_WORDS = frozenset(
    """the of and to a in is that it for as was with be by on not he i this are or his from at which but have
    an had they you were there one all we can her has been if more when will would who so no she other its
    may these what them than some him time into only do my out your up our me how then about their could
    also because after over such through where between even most before many those us just like very any
    did does should being here while am much too own both each under""".split()  # noqa: SIM905 - read as words
)
