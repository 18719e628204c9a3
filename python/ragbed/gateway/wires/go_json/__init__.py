"""JSON as a Go server reads it: which bodies are taken, what they hold, and the words of a refusal.

Ollama is written in Go. Its `encoding/json` matches the names of fields in any case, takes null for any field, lets the
last of two equal names win, ignores what follows the value, and puts U+FFFD in the place of half an emoji.

Source: Go's `encoding/json` (`decode.go`, `scanner.go`, `stream.go`); the tests compare with a program in Go.
"""

from ragbed.gateway.wires.go_json.errors import DecodeError, EmptyBodyError
from ragbed.gateway.wires.go_json.state import Kind, plain, unmarshal
from ragbed.gateway.wires.go_json.text import Members, first_value

__all__ = ["DecodeError", "EmptyBodyError", "Kind", "Members", "first_value", "plain", "unmarshal"]
