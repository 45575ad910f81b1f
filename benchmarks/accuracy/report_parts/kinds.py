"""What kind of text each labelled text is: its source in words, who wrote it, how its machine text was made.

To add a source, a model or an attack of the data, add its row here.
"""

from __future__ import annotations

import re

SOURCES = {
    "biscope": "stories, reviews, abstracts",
    "cogfp": "Reddit posts and abstracts",
    "comnets": "university answers, most paraphrased",
    "counselchat": "counsellors' answers",
    "cuad": "contracts",
    "dailyblade": "fantasy miniatures of one model",
    "debate": "debate speeches of models of 2025-26",
    "detectrl": "four domains, most under attack",
    "dreaddit": "posts of people in distress",
    "endings": "magazine stories and their endings",
    "gede": "essays, many rewritten or polished",
    "hc3plus": "summaries of 30 words",
    "hippocorpus": "personal stories of crowd workers",
    "inspiration": "short Reddit posts",
    "l2r": "people's texts *rewritten* by a model",
    "lastde": "news, stories, answers, encyclopaedia",
    "locness": "essays of native students",
    "outfox": "school pupils' essays",
    "period": "old prose and its imitation",
    "personal_essays": "college admission essays of models of 2024-25",
    "persuasion": "political messages of many models",
    "rexshijaku": "TOEFL essays",
    "speechmap": "political essays, satire, speeches of models of 2024-26",
    "storytheory": "stories of models of 2025",
    "stylecatalog": "blog posts, letters, e-mails of one maker's models of 2026",
    "uppsala": "essays of Swedish students of English",
    "wetbench": "encyclopaedia and reviews, short",
}
FIRST_SIX = ("biscope", "detectrl", "l2r", "lastde", "outfox", "rexshijaku")
NEWEST = ("debate", "storytheory")

ENCYCLOPAEDIA = ("wiki", "wiki_biased_paragraph", "wiki_continuation", "wiki_paragraph")
PEOPLE: dict[str, dict[str, tuple[str, ...]]] = {
    "learners of English, all": {
        "uppsala": (),
        "rexshijaku": (),
        "gede": ("essay_ielts",),
    },
    "learners: Swedish students": {"uppsala": ()},
    "learners: TOEFL": {"rexshijaku": ()},
    "learners: IELTS": {"gede": ("essay_ielts",)},
    "school pupils": {"outfox": ()},
    "native and mixed students": {"locness": (), "comnets": (), "gede": ("essay_forum_aae",)},
    "formal: abstracts": {
        "biscope": ("abstracts",),
        "detectrl": ("abstracts",),
        "cogfp": ("abstract_bio", "abstract_chem", "abstract_cs", "abstract_med", "abstract_phy"),
    },
    "formal: contracts": {"cuad": ()},
    "formal: encyclopaedia": {"wetbench": ENCYCLOPAEDIA, "lastde": ENCYCLOPAEDIA},
    "formal: finance, technical, environment": {"l2r": ("Finance", "TechnicalWriting", "Environmental")},
    "old prose": {"period": (), "endings": ()},
    "counsellors": {"counselchat": ()},
    "people in distress": {"dreaddit": ()},
    "personal stories": {"hippocorpus": ()},
    "Reddit posts": {
        "cogfp": tuple(f"reddit_post_{name}" for name in ("lifestyle", "social", "sport", "technology"))
    }
    | {"inspiration": (), "lastde": ("reddit",)},
    "reviews": {"biscope": ("reviews",), "detectrl": ("reviews",), "wetbench": ("yelp_review",)},
    "news": {"detectrl": ("news",), "lastde": ("news",), "l2r": ("NewsArticle",)},
}
"""Groups of people: by source, the domains that belong to a group; none for all of them."""


def in_group(group: str, source: str, domain: str) -> bool:
    """Whether a person's text belongs to a group of `PEOPLE`."""
    domains = PEOPLE[group].get(source)
    return domains is not None and (not domains or domain in domains)


FROM_PROMPT = "written from a prompt"
MADE_BY = {
    "llm_polish_of_human": "person's text, polished by a model",
    "llm_rewrite_of_human": "person's text, rewritten by a model",
    "llm_rewrite_of_llm": "machine text, rewritten by a model",
    "dipper": "machine text, paraphrased (DIPPER)",
    "paraphrase_dipper_llm": "machine text, paraphrased (DIPPER)",
    "paraphrase_polish_llm": "machine text, polished by a model",
    "paraphrase_back_translation_llm": "machine text, translated and back",
    "adversarial_character_llm": "machine text, characters changed",
    "adversarial_word_llm": "machine text, words changed",
    "adversarial_character_word_llm": "machine text, characters and words changed",
    "prompt_SICO": "prompt tuned against detectors (SICO)",
    "prompt_few_shot": "prompt with examples",
    "quillbot_creative": "machine text, paraphrased (QuillBot, creative)",
    "quillbot_fluency": "machine text, paraphrased (QuillBot, fluency)",
    "quillbot_formal": "machine text, paraphrased (QuillBot, formal)",
    "quillbot_standard": "machine text, paraphrased (QuillBot, standard)",
    "author_mimicry": "in the manner of an author",
}
"""By attack as the data name it, how a machine text was made."""
EDITED = ("person's text", "person's beginning")


def made_by(source: str, domain: str, attack: str) -> str:
    """How a machine text was made."""
    if attack in MADE_BY:
        return MADE_BY[attack]
    if domain in MADE_BY:  # one file names the attack there
        return MADE_BY[domain]
    if source == "l2r":
        return MADE_BY["llm_rewrite_of_human"]
    if domain in ("wiki_continuation", "yelp_review"):
        return "person's beginning, continued by a model"
    return FROM_PROMPT


_GENERATORS = (
    (r"text-davinci-003|flan-t5|chatgpt-2022", 2022),
    (r"chatgpt(-2023.*)?$|gpt-3\.5|claude-instant|google-palm|llama-2|^llm\(mixed\)$|falcon|pythia", 2023),
    (r"gpt-4o|gpt4o|claude-?3-?haiku|claude-3-(opus|sonnet)|claude-3\.5|gemini-1\.5|llama-?3|phi-4", 2024),
    (r"qwen(1\.5|2\.5-7b)|mistral-7b|yi-|deepseek-v3$", 2024),
    (r"gpt-?4-?(turbo|0125)|gpt-4$|gemini-1\.0", 2023),
    (r"claude-(opus|sonnet)-4[.-][678]|claude-sonnet-5|gemini-3\.1|gemini-web-2026|gpt-5\.4|grok-4\.2", 2026),
    (r"glm-5|kimi-k2\.5|minimax-m(2\.7|3)|mistral-(medium-3\.5|small-26)|qwen3\.[57]|deepseek-v4", 2026),
    (r"claude-(3-7|3\.7|haiku-4|opus-4|sonnet-4)|deepseek|r1-1776|gemini-(2|3)|gemma-3|glm-4", 2025),
    (r"gpt-(4\.1|5|oss)|grok|hermes-4|kimi|llama-?4|longcat|magistral|mai-ds|minimax|ministral", 2025),
    (r"mistral-(large-2512|medium-3-|small-25)|^o3|qwen3|qwen-max|qwen2\.5-vl|olmo-3|horizon|sonoma", 2025),
)
_MAKERS = (
    (r"gpt|davinci|^o3|horizon", "OpenAI"),
    (r"claude", "Anthropic"),
    (r"gemini|gemma|palm|flan", "Google"),
    (r"llama", "Meta"),
    (r"deepseek|^r1-|mai-ds", "DeepSeek"),
    (r"qwen", "Alibaba"),
    (r"grok", "xAI"),
    (r"mi(ni)?stral|magistral", "Mistral"),
    (r"glm|kimi|minimax|longcat|mimo|seed", "other Chinese makers"),
)


def year_of(generator: str) -> int:
    """Year in which a model came out; 0 where this table does not know it."""
    name = generator.lower()
    return next((year for pattern, year in _GENERATORS if re.search(pattern, name)), 0)


def maker_of(generator: str) -> str:
    """Who made a model; ``others`` where this table does not know it."""
    name = generator.lower()
    return next((maker for pattern, maker in _MAKERS if re.search(pattern, name)), "others")


WHY = {
    "comnets": "an old model's answers, four of five of which passed through a paraphraser",
    "cuad": "clauses of contracts, which are copied from one to the next",
    "detectrl": "machine texts under eight attacks: paraphrased, translated, words or letters changed",
    "endings": "a model continued a person's story",
    "gede": "among them people's essays that a model only rewrote or polished",
    "hc3plus": "30 words are too few",
    "l2r": "people's texts that a model rewrote: content and order are the person's",
    "outfox": "machines that wrote at high temperature: their words are *less* likely than people's",
    "period": "models in the manner of authors of another century",
    "persuasion": "few texts, old base models among the authors",
    "stylecatalog": "the newest models of one maker in styles that nothing else here has",
    "wetbench": "short, and in part a person's own: paragraphs continued or neutralised, reviews begun by "
    "a person",
}
"""What the collections themselves say that makes them hard; no text is quoted."""
