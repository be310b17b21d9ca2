"""Sentence vectors from any local encoder in ONNX form: a folder with model.onnx and tokenizer.json.

Nothing is downloaded, and nothing of it is served: it runs in the workbench, on one thread, so that the same
texts are the same vectors on any machine of one kind. Vectors are the mean over the tokens that the attention
mask names (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019), of length one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mailml.errors import InputError, MissingExtraError
from mailml.lab.resampling import Floats

_TOKENS = 256  # read of a text: what such encoders were trained on
_BATCH = 32
_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_CURE = "Give a folder with model.onnx and tokenizer.json of a sentence encoder"


class Encoder:
    """A sentence encoder on disk; call it with texts. Raises InputError for a folder that holds none."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        missing = [n for n in ("model.onnx", "tokenizer.json") if not (self.folder / n).is_file()]
        if missing:
            raise InputError(f"holds no {' and no '.join(missing)}", where=str(folder), cure=_CURE)

    def __repr__(self) -> str:
        return f"Encoder({str(self.folder)!r})"

    def __call__(self, texts: Sequence[str]) -> Floats:
        """The vectors of many texts: (texts, dimensions); an empty text is all zeros."""
        parts: list[tuple[list[int], Floats]] = []
        full = [row for row, text in enumerate(texts) if text.strip()]
        # texts of one length in one batch: padding is paid for like words
        for start in range(0, len(full), _BATCH):
            rows = sorted(full, key=lambda row: len(texts[row]))[start : start + _BATCH]
            parts.append((rows, self._vectors([texts[row] for row in rows])))
        width = parts[0][1].shape[1] if parts else 1
        vectors = np.zeros((len(texts), width))
        for rows, found in parts:
            vectors[rows] = found
        return vectors

    def _vectors(self, texts: list[str]) -> Floats:
        encoded = self._tokenizer.encode_batch(texts)
        fed = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
            "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
        }
        session, asked = self._session, self._asked
        try:
            out = session.run(None, {name: fed[name] for name in asked})[0]
        except Exception as error:
            raise self._odd(f"does not run ({str(error).splitlines()[0]:.120})") from error
        return self._pooled(np.asarray(out, dtype=np.float64), fed["attention_mask"])

    def _pooled(self, out: Floats, mask: Any) -> Floats:
        if out.ndim == 3 and out.shape[:2] == mask.shape:
            weight = mask[:, :, None].astype(np.float64)
            out = (out * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)
        if out.ndim != 2 or len(out) != len(mask):
            raise self._odd(f"gives an output of shape {out.shape} for {mask.shape[0]} texts")
        if not np.isfinite(out).all():
            raise self._odd("gives numbers that are not finite")
        return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizers = _extra("tokenizers")
        try:
            found = tokenizers.Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except Exception as error:
            cause = str(error).splitlines()[0]
            where = str(self.folder / "tokenizer.json")
            raise InputError(f"is not a tokenizer ({cause:.120})", where=where, cure=_CURE) from error
        found.enable_truncation(max_length=_TOKENS)
        padding = found.padding or {}
        found.enable_padding(pad_id=padding.get("pad_id", 0), pad_token=padding.get("pad_token", "[PAD]"))
        return found

    @cached_property
    def _session(self) -> Any:
        runtime = _extra("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        file = str(self.folder / "model.onnx")
        try:
            return runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise self._odd(f"cannot be loaded ({str(error).splitlines()[0]:.120})") from error

    @cached_property
    def _asked(self) -> tuple[str, ...]:
        names = tuple(entry.name for entry in self._session.get_inputs())
        if "input_ids" not in names or not set(names) <= _INPUTS:
            raise self._odd(f"asks for {', '.join(names)}, a sentence encoder for input_ids")
        return names

    def _odd(self, what: str) -> InputError:
        return InputError(what, where=str(self.folder / "model.onnx"), cure=_CURE)


def _extra(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        cure = 'Install it: pip install "mailml[embeddings]"'
        raise MissingExtraError(f"the embedding model needs {name}", cure=cure) from error
