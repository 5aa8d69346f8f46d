"""A tiny XLM-RoBERTa with random weights, in the folder layout of BAAI/bge-m3."""

import json
from pathlib import Path
from typing import Any

HIDDEN = 64
MAX_TOKENS = 128  # bge-m3: 8,192; the positions are two more than that, as there.


def make_tiny_model(folder: Path) -> Path:
    """Write the model into ``folder``, file for file as bge-m3's repository has them."""
    folder.mkdir()
    # Imported here: they belong to the optional part.
    import torch  # noqa: PLC0415
    from transformers import XLMRobertaConfig, XLMRobertaModel  # noqa: PLC0415

    vocabulary = _write_tokenizer(folder)
    torch.manual_seed(20)
    config = XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=MAX_TOKENS + 2,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        architectures=["XLMRobertaModel"],
    )
    model = XLMRobertaModel(config)
    with torch.no_grad():
        # Fresh weights are so small that all texts come out alike; spread them.
        for parameter in model.parameters():
            parameter.mul_(4)
    _write(folder / "config.json", {**config.to_dict(), "model_type": "xlm-roberta"})
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    _write_modules(folder)
    return folder


def _write_tokenizer(folder: Path) -> int:
    """Write a Unigram tokenizer of single characters and common words; return its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415
    from tokenizers.processors import TemplateProcessing  # noqa: PLC0415

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = sorted(set("abcdefghijklmnopqrstuvwxyzáâãàéêíóôõúç0123456789.,?!"))
    words = ["▁o", "▁a", "▁de", "▁que", "▁prazo", "▁troca", "▁frete", "▁loja", "ção"]
    pieces = [(piece, 0.0) for piece in special]
    pieces += [(word, -3.0) for word in words]
    pieces += [(letter, -6.0) for letter in ["▁", *letters]]
    pieces += [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.add_special_tokens([*special, "<mask>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
    }
    _write(folder / "special_tokens_map.json", names)
    _write(
        folder / "tokenizer_config.json",
        {
            **names,
            "tokenizer_class": "XLMRobertaTokenizer",
            "model_max_length": MAX_TOKENS,
            "clean_up_tokenization_spaces": True,
        },
    )
    return len(pieces)


def _write_modules(folder: Path) -> None:
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    _write(
        folder / "modules.json",
        [
            {
                "idx": index,
                "name": str(index),
                "path": path,
                "type": f"sentence_transformers.models.{kind}",
            }
            for index, (path, kind) in enumerate(kinds.items())
        ],
    )
    _write(
        folder / "sentence_bert_config.json",
        {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
    )
    _write(
        folder / "config_sentence_transformers.json",
        {
            "__version__": {
                "sentence_transformers": "2.2.2",
                "transformers": "4.33.0",
                "pytorch": "2.1.2+cu121",
            }
        },
    )
    (folder / "2_Normalize").mkdir()
    (folder / "1_Pooling").mkdir()
    _write(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": HIDDEN,
            "pooling_mode_cls_token": True,
            "pooling_mode_mean_tokens": False,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
