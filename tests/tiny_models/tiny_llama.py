"""A chat model of 134,000 parameters, written from a seed: two layers, 64 wide, a few plain sentences an answer.

Its weights are random but for one thing: every token points at the kind of token that comes next. So what it says
depends on prompt, seed and temperature as with any model, it ends by itself, closes the JSON that it opens, cites the
first passage, and calls the one tool that it knows, `get_weather`. Nothing in it comes from a trained model.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gguf
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Matrix = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

SEED = 11
WIDTH, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 1, 128, 8192
TOOL_CALL = '{"name": "get_weather", "parameters": {"city": "Paris"}}'
TEMPLATE = """\
{{- if .System }}{{ .System }}
{{ end }}
{{- range $i, $message := .Messages }}
{{- if eq .Role "user" }}User: {{ .Content }}
{{ else if eq .Role "assistant" }}Assistant: {{ .Content }}
{{- range .ToolCalls }}{"name": "{{ .Function.Name }}", "parameters": {{ .Function.Arguments }}}{{ end }}
{{ else if eq .Role "tool" }}Tool: {{ .Content }}
{{ end }}
{{- if and $.Tools (eq (len (slice $.Messages $i)) 1) (eq .Role "user") }}<|call|>
{{- else if eq (len (slice $.Messages $i)) 1 }}Assistant>{{ end }}
{{- end }}"""

_RANDOM = 0.5
_NOISE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Tokens that stand in the same place of a sentence.

    Attributes:
        tokens: As the vocabulary holds them; a low line is a space before the word.
        after: The groups that lead here, and how surely.
    """

    tokens: tuple[str, ...]
    after: Mapping[str, float] = field(default_factory=dict)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace("_", "\u2581").split())


_SIGNS = {"brace": "{", "quote": '"', "colon": ":", "comma": ",", "close": "}", "stop": "."}
_DIGITS = tuple("0123456789")
GROUPS = {
    "prompt": Group(
        tokens=tuple(c for c in map(chr, range(33, 127)) if c not in {*_SIGNS.values(), *_DIGITS})
    ),
    "first": Group(tokens=_words("The No One This That Every Some Each"), after={"prompt": 3.0}),
    "again": Group(tokens=_words("_Then_the _And_a _But_one _So_this"), after={"stop": 1.6}),
    "kind": Group(
        tokens=_words("_small _plain _pinned _real _quiet _steady _local _green"),
        after={"first": 3.0, "again": 3.0},
    ),
    "who": Group(
        tokens=_words("_model _test _server _index _vector _digest _chunk _run"), after={"kind": 3.0}
    ),
    "does": Group(
        tokens=_words("_finds _keeps _reads _counts _names _holds _shows _checks"), after={"who": 3.0}
    ),
    "which": Group(tokens=_words("_no _the _its _every _another _this"), after={"does": 3.0}),
    "what": Group(
        tokens=_words("_answer _document _question _collection _lock _lease _port _seed"),
        after={"which": 3.0},
    ),
    "cited": Group(tokens=_words("_[1]"), after={"what": 3.0}),  # a prompt with passages has at least one
    "stop": Group(tokens=(_SIGNS["stop"],), after={"cited": 3.0}),
    "brace": Group(tokens=(_SIGNS["brace"],), after={"prompt": 1.5}),
    "quote": Group(tokens=(_SIGNS["quote"],), after={"brace": 3.0, "colon": 3.0, "comma": 3.0, "close": 2.0}),
    "colon": Group(tokens=(_SIGNS["colon"],), after={"quote": 3.0}),
    "digit": Group(tokens=_DIGITS),
    "comma": Group(tokens=(_SIGNS["comma"],), after={"digit": 3.0}),
    "close": Group(tokens=(_SIGNS["close"],), after={"quote": 2.6, "digit": 2.6, "prompt": 1.0}),
    "call": Group(tokens=("<|call|>",)),
    "tool": Group(tokens=(TOOL_CALL,), after={"call": 3.0, "prompt": -1.0}),
    "end": Group(tokens=("</s>",), after={"stop": 2.6, "close": 3.0, "tool": 3.0}),
}
_PLACE = {name: number for number, name in enumerate(GROUPS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One entry of the vocabulary: its text, its type, the group it belongs to; none for those never said."""

    text: str
    type: gguf.TokenType
    group: str | None


def vocabulary() -> list[Token]:
    """Return the tokens in the order of their numbers: specials, the 256 bytes, a space, then the groups'."""
    special = {"</s>": gguf.TokenType.CONTROL, "<|call|>": gguf.TokenType.CONTROL}
    head = [Token(text="<unk>", type=gguf.TokenType.UNKNOWN, group=None)]
    head += [Token(text="<s>", type=gguf.TokenType.CONTROL, group=None)]
    head += [Token(text=f"<0x{code:02X}>", type=gguf.TokenType.BYTE, group=None) for code in range(256)]
    head += [Token(text="\u2581", type=gguf.TokenType.NORMAL, group=None)]
    return head + [
        Token(text=text, type=special.get(text, gguf.TokenType.NORMAL), group=name)
        for name, group in GROUPS.items()
        for text in group.tokens
    ]


def write(path: Path) -> None:
    """Write the model as a GGUF file: the same bytes on every machine."""
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer)
    _write_vocabulary(writer, vocabulary())
    for name, matrix in _tensors(vocabulary()):
        norm = matrix.ndim == 1
        writer.add_tensor(name, matrix if norm else matrix.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter) -> None:
    writer.add_name("made-tiny")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(vocabulary()))


def _write_vocabulary(writer: gguf.GGUFWriter, tokens: list[Token]) -> None:
    numbers = {token.text: number for number, token in enumerate(tokens)}
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.text for token in tokens])
    writer.add_token_scores([0.0 if token.group is None else -1.0 for token in tokens])
    writer.add_token_types([token.type for token in tokens])
    writer.add_unk_token_id(numbers["<unk>"])
    writer.add_bos_token_id(numbers["<s>"])
    writer.add_eos_token_id(numbers["</s>"])
    writer.add_add_space_prefix(False)


def _tensors(tokens: list[Token]) -> Iterator[tuple[str, Matrix]]:
    """Yield every tensor: the first dimensions of the stream say what comes next, the others are noise that mixes."""
    draw = random.Random(SEED)  # noqa: S311 - reproducible on every machine and version, not secret
    places = len(_PLACE)

    def noise(rows: int, columns: int, scale: float) -> Matrix:
        values = [draw.uniform(-scale, scale) for _ in range(rows * columns)]
        return np.array(values, dtype=np.float32).reshape(rows, columns)

    def mixing(rows: int, columns: int, scale: float) -> Matrix:
        """Return a matrix that writes noise only, so that no layer touches what says what comes next."""
        matrix = noise(rows, columns, scale)
        matrix[:places] = 0
        return matrix

    yield "token_embd.weight", _embeddings(tokens, noise(len(tokens), WIDTH, _NOISE * 3**0.5))
    for layer in range(LAYERS):
        yield f"blk.{layer}.attn_norm.weight", np.ones(WIDTH, dtype=np.float32)
        for part in ("q", "k", "v"):
            yield f"blk.{layer}.attn_{part}.weight", noise(WIDTH, WIDTH, 0.3)
        yield f"blk.{layer}.attn_output.weight", mixing(WIDTH, WIDTH, 0.05)
        yield f"blk.{layer}.ffn_norm.weight", np.ones(WIDTH, dtype=np.float32)
        yield f"blk.{layer}.ffn_gate.weight", noise(INNER, WIDTH, 0.2)
        yield f"blk.{layer}.ffn_up.weight", noise(INNER, WIDTH, 0.2)
        yield f"blk.{layer}.ffn_down.weight", mixing(WIDTH, INNER, 0.01)
    yield "output_norm.weight", np.ones(WIDTH, dtype=np.float32)
    yield "output.weight", _answers(tokens, noise(len(tokens), WIDTH, _RANDOM))


def _embeddings(tokens: list[Token], noise: Matrix) -> Matrix:
    noise[:, : len(_PLACE)] = 0
    for number, token in enumerate(tokens):
        noise[number, _PLACE[token.group or "prompt"]] = 1
    return noise


def _answers(tokens: list[Token], noise: Matrix) -> Matrix:
    """Return the output rows: how much each token wants to come after each kind of token."""
    noise[:, : len(_PLACE)] = 0
    for number, token in enumerate(tokens):
        if token.group is None:
            noise[number] = 0
            noise[number, : len(_PLACE)] = -1  # raw bytes and bare spaces are never said
            continue
        for before, strength in GROUPS[token.group].after.items():
            noise[number, _PLACE[before]] = strength
    return noise
