"""Continue training from a GGUF file: weights to a checkpoint, vocabulary to a tokenizer.

    python training/lm/from_gguf.py ghostbuster/models/weights/embedded-strong.gguf \
        training/lm/configs/strong.toml --runs RUNS --tokens 44200000

Writes RUNS/<name>/shipped.pt, for ``train_lm.py --resume``, and RUNS/tokenizer/tokenizer.model, which cuts
text as the file's own vocabulary does: shards made before must be of it. The weights are those of the file,
rounded as they are there, and the optimisers start empty, so the rate warms up anew.
"""

import argparse
from pathlib import Path

import checkpoints
import gguf
import torch
from export_gguf import llama_cpp_name
from exports import weights_of
from model import Llama, Shape, read_config
from sentencepiece import sentencepiece_model_pb2
from vocabulary import read_vocabulary


def tokenizer_of(reader: gguf.GGUFReader) -> bytes:
    """A SentencePiece model with the file's pieces, scores and types, and the settings of `tokenizer`."""
    made = sentencepiece_model_pb2.ModelProto()
    columns = [
        reader.fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "scores", "token_type")
    ]
    for piece, score, kind in zip(*columns, strict=True):
        made.pieces.add(piece=piece, score=score, type=kind)
    training, normaliser = made.trainer_spec, made.normalizer_spec
    training.model_type = sentencepiece_model_pb2.TrainerSpec.BPE
    training.vocab_size = len(made.pieces)
    training.byte_fallback = training.split_digits = True
    training.unk_id, training.bos_id, training.eos_id, training.pad_id = 0, 1, 2, -1
    normaliser.name = "identity"
    normaliser.add_dummy_prefix = normaliser.escape_whitespaces = True
    normaliser.remove_extra_whitespaces = False
    return bytes(made.SerializeToString())


def write_tokenizer(reader: gguf.GGUFReader, out: Path) -> None:
    """Write the file's tokenizer, in place of one of the same vocabulary.

    Raises
    ------
    SystemExit
        When one of another vocabulary is there: shards were made with it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    made = out.with_suffix(".tmp")
    made.write_bytes(tokenizer_of(reader))
    if out.exists() and read_vocabulary(out) != read_vocabulary(made):
        made.unlink()
        raise SystemExit(f"{out} has another vocabulary than the GGUF file: name another folder of runs")
    made.replace(out)


def take_up(path: Path, config_path: Path, runs: Path, n_tokens: int) -> Path:
    """Write checkpoint and tokenizer; return the checkpoint's path.

    Raises
    ------
    SystemExit
        When the file's tensors are not those of the configuration, or ``runs`` has another vocabulary.
    """
    config = read_config(config_path)
    reader = gguf.GGUFReader(path)
    like = Llama(Shape(**config["model"])).state_dict()
    wanted = {llama_cpp_name(name): values.shape for name, values in like.items()}
    found = {tensor.name: torch.Size(reversed(tensor.shape.tolist())) for tensor in reader.tensors}
    if apart := [name for name in wanted | found if wanted.get(name) != found.get(name)]:
        raise SystemExit(f"{path}: {', '.join(apart[:3])} are not as in {config_path}: give its own TOML")
    write_tokenizer(reader, runs / "tokenizer" / "tokenizer.model")
    out = runs / config["name"] / "shipped.pt"
    out.parent.mkdir(parents=True, exist_ok=True)
    checkpoints.save(
        out, {"config": config, "model": weights_of(path, like), "progress": {"tokens": n_tokens}}
    )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gguf", type=Path)
    parser.add_argument("config", type=Path, help="its TOML")
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=0, help="seen so far, by its card")
    options = parser.parse_args()
    print(f"wrote {take_up(options.gguf, options.config, options.runs, options.tokens)}")


if __name__ == "__main__":
    main()
