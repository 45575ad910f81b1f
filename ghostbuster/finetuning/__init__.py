"""Fine-tune a language model to tell machine-written from human text: LoRA, trained with PyTorch.

The only room that imports torch, transformers and peft (the extra ``finetune``). What it makes is a GGUF
adapter, which `models` reads without them. May import `models`, `metrics`, `text` and what is below.
"""
