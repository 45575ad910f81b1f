"""Metadata keys and tensor names that llama.cpp reads in a Llama-family GGUF, with harmful values."""

from __future__ import annotations

SIZES = (0, 1, 2, 3, 5, 7, 8, 16, 31, 33, 63, 64, 65, 100, 127, 255, 512, 4096, 65_535, 2**31 - 1, 2**31)
FLOATS = (0.0, -0.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), float("-inf"), 0.5, 3.4e38)
# what llama.cpp reads of a Llama-family file, whether ours have it or not
KEYS = """context_length embedding_length block_count feed_forward_length attention.head_count
attention.head_count_kv attention.key_length attention.value_length attention.layer_norm_rms_epsilon
attention.layer_norm_epsilon attention.sliding_window attention.sliding_window_pattern attention.scale
attention.causal attention.clamp_kqv attention.max_alibi_bias attention.temperature_scale
attention.temperature_length attention.output_scale attention.key_length_swa attention.value_length_swa
attention.relative_buckets_count attention.kv_lora_rank attention.group_norm_groups attention.shared_kv_layers
rope.dimension_count rope.dimension_sections rope.freq_base rope.freq_base_swa rope.scaling.type
rope.scaling.factor rope.scaling.attn_factor rope.scaling.original_context_length rope.scaling.finetuned
rope.scaling.yarn_log_multiplier rope.scaling.yarn_ext_factor rope.scaling.yarn_attn_factor
rope.scaling.yarn_beta_fast rope.scaling.yarn_beta_slow rope.scale_linear expert_count expert_used_count
expert_feed_forward_length expert_shared_count expert_weights_scale expert_weights_norm expert_gating_func
leading_dense_block_count interleave_moe_layer_step n_deepstack_layers vocab_size tensor_data_layout
use_parallel_residual pooling_type logit_scale residual_scale embedding_scale final_logit_softcapping
attn_logit_softcapping decoder_start_token_id full_attention_interval classifier.output_labels
ssm.conv_kernel swin_norm dense_2_feat_in""".split()  # noqa: SIM905 - read as words
TOKENIZER_KEYS = """model pre tokens token_type scores merges token_type_count bos_token_id eos_token_id
eot_token_id eom_token_id unknown_token_id seperator_token_id padding_token_id cls_token_id mask_token_id
fim_pre_token_id fim_suf_token_id fim_mid_token_id fim_pad_token_id fim_rep_token_id fim_sep_token_id
prefix_token_id suffix_token_id middle_token_id add_bos_token add_eos_token add_sep_token add_space_prefix
remove_extra_whitespaces precompiled_charsmap hf.json rwkv.world""".split()  # noqa: SIM905 - likewise
GENERAL_KEYS = "alignment file_type quantization_version type name basename sampling.top_k".split()  # noqa: SIM905
TENSORS = """rope_freqs.weight output.bias output_norm.bias token_embd_norm.weight token_types.weight
cls.weight rope_factors_long.weight rope_factors_short.weight""".split()  # noqa: SIM905 - likewise
BLOCK_TENSORS = """attn_q.bias attn_k.bias attn_v.bias attn_output.bias attn_q_norm.weight attn_k_norm.weight
attn_qkv.weight ffn_gate_inp.weight ffn_gate_exps.weight ffn_up_exps.weight ffn_down_exps.weight ffn_gate.bias
ffn_up.bias ffn_down.bias rope_freqs.weight attn_norm.bias attn_sub_norm.weight attn_q.scale
attn_rot_embd""".split()  # noqa: SIM905 - likewise
PRES = ("gpt-2", "llama-bpe", "qwen2", "deepseek-llm", "tekken", "smollm", "default", "bloom", "nonsense", "")
PIECES = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"<0x4",
    b"<0xZZ>",
    b"<0x>",
    b" ",
    "▁".encode(),
    b"<s>",
    b"a" * 70_000,
    b"\xe2",
)
