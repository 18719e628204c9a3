"""The types of the bodies below `/v1/`, as Ollama's Go package for them declares them.

Source: `openai/openai.go` of the Ollama that `stack.toml` pins.
"""

from __future__ import annotations

from ragbed.gateway.wires.go_json.kinds import Anything, Bool, List, Pointer, Raw, Real, Struct, Text, Whole
from ragbed.gateway.wires.ollama.types import TOOL

_TEXT, _BOOL, _WHOLE, _REAL, _ANY = Text(), Bool(), Whole(), Real(), Anything()
_REAL32 = Real("float32", 3.4028234663852886e38)
_STREAM_OPTIONS = Pointer(Struct("openai.StreamOptions", {"include_usage": _BOOL}))
_FUNCTION = Struct("", {"name": _TEXT, "arguments": _TEXT})
_CALL = Struct("openai.ToolCall", {"id": _TEXT, "index": _WHOLE, "type": _TEXT, "function": _FUNCTION})
_MESSAGE = Struct(
    "openai.Message",
    {
        "role": _TEXT,
        "content": _ANY,
        "reasoning": _TEXT,
        "tool_calls": List(_CALL, "[]openai.ToolCall"),
        "name": _TEXT,
        "tool_call_id": _TEXT,
    },
)
_FORMAT = Struct(
    "openai.ResponseFormat",
    {"type": _TEXT, "json_schema": Pointer(Struct("openai.JsonSchema", {"schema": Raw()}))},
)
CHAT = Struct(
    "openai.ChatCompletionRequest",
    {
        "model": _TEXT,
        "messages": List(_MESSAGE, "[]openai.Message"),
        "stream": _BOOL,
        "stream_options": _STREAM_OPTIONS,
        "max_tokens": Pointer(_WHOLE),
        "seed": Pointer(_WHOLE),
        "stop": _ANY,
        "temperature": Pointer(_REAL),
        "frequency_penalty": Pointer(_REAL),
        "presence_penalty": Pointer(_REAL),
        "top_p": Pointer(_REAL),
        "response_format": Pointer(_FORMAT),
        "tools": List(TOOL, "[]api.Tool"),
        "reasoning": Pointer(Struct("openai.Reasoning", {"effort": _TEXT})),
        "reasoning_effort": Pointer(_TEXT),
        "logprobs": Pointer(_BOOL),
        "top_logprobs": _WHOLE,
        "_debug_render_only": _BOOL,
    },
)
COMPLETION = Struct(
    "openai.CompletionRequest",
    {
        "model": _TEXT,
        "prompt": _TEXT,
        "frequency_penalty": _REAL32,
        "max_tokens": Pointer(_WHOLE),
        "presence_penalty": _REAL32,
        "seed": Pointer(_WHOLE),
        "stop": _ANY,
        "stream": _BOOL,
        "stream_options": _STREAM_OPTIONS,
        "temperature": Pointer(_REAL32),
        "top_p": _REAL32,
        "suffix": _TEXT,
        "logprobs": Pointer(_WHOLE),
        "_debug_render_only": _BOOL,
    },
)
EMBED = Struct(
    "openai.EmbedRequest",
    {"input": _ANY, "model": _TEXT, "dimensions": _WHOLE, "encoding_format": _TEXT},
)
