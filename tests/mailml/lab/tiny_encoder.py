"""A sentence encoder of a few words, built for the tests: one vector per word, looked up in a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

# words that mean the same lie on one axis, whatever language or form they have
MEANING = {
    "invoice": 0, "charged": 0, "refund": 0, "receipt": 0, "payment": 0, "price": 0, "bill": 0,
    "crashes": 1, "error": 1, "log": 1, "password": 1, "syncs": 1, "connection": 1, "screen": 1,
    "brochure": 2, "visit": 2, "person": 2, "training": 2, "shop": 2, "office": 2, "sold": 2,
}  # fmt: skip
PLAIN = ("[PAD]", "[UNK]")


def tiny_encoder(folder: Path, **told: Any) -> Path:
    """Write model.onnx and tokenizer.json; `told` makes them odd (see `graph`)."""
    folder.mkdir(parents=True, exist_ok=True)
    words = {word: number for number, word in enumerate((*PLAIN, *MEANING))}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    onnx.save(graph(**told), str(folder / "model.onnx"))
    return folder


def graph(
    *, asks: tuple[str, ...] = ("input_ids", "attention_mask"), shape: str = "tokens", fill: float = 0.01
) -> onnx.ModelProto:
    """A table of vectors per token: `shape` is "tokens", "texts" (summed) or "scalar", `fill` is [UNK]'s."""
    table = np.full((len(PLAIN) + len(MEANING), 4), fill, dtype=np.float32)
    table[0] = 9.0  # padding shouts, so that a mean which forgets the mask is noticed
    for number, axis in enumerate(MEANING.values(), len(PLAIN)):
        table[number, axis] = 1.0
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["vectors"])]
    outputs = {"tokens": "vectors", "texts": "summed", "scalar": "all"}
    dims: dict[str, list[Any]] = {"tokens": ["texts", "tokens", 4], "texts": ["texts", 4], "scalar": []}
    if shape == "texts":
        nodes.append(helper.make_node("ReduceSum", ["vectors", "one"], ["summed"], keepdims=0))
    if shape == "scalar":
        nodes.append(helper.make_node("ReduceSum", ["vectors"], ["all"], keepdims=0))
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in asks]
    known = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1]), "one")]
    out = helper.make_tensor_value_info(outputs[shape], TensorProto.FLOAT, dims[shape])
    made = helper.make_graph(nodes, "tiny", inputs, [out], known)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
