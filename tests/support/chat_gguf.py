"""Copies of the embedded models with a chat template, to play a teacher."""

from pathlib import Path

import gguf

from ghostbuster.models.panels import EMBEDDED_STRONG, weights_folder

TEMPLATE = "{{ bos_token }}{% for message in messages %}{{ message['content'] }}\n\n{% endfor %}"


def chat_model(path: Path, template: str | None = TEMPLATE, source: Path | None = None) -> Path:
    """The larger embedded model (or ``source``) under another template; without one, without."""
    reader = gguf.GGUFReader(source or weights_folder() / EMBEDDED_STRONG)
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith(("GGUF.", "general.architecture")):
            kind = field.types[0]
            inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)
    if template is not None:
        writer.add_chat_template(template)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
