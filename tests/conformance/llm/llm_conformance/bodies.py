"""Request bodies by the thousand: right ones, and right ones with something changed, the same for the same seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that goes into a body as it is: a number in a form of its own, half an emoji."""

    text: str


class Members(list[tuple[str, Any]]):
    """The members of an object, equal names included."""


_PROPERTY = {"type": ["string", "null"], "description": "a city", "enum": ["a", 1, None], "required": ["x"]}
_TOOL = {
    "type": "function",
    "items": None,
    "function": {
        "name": "f",
        "description": "look up",
        "parameters": {
            "type": "object",
            "$defs": {"a": 1},
            "required": ["city"],
            "properties": {
                "city": {**_PROPERTY, "anyOf": [{"type": "string"}], "properties": {"x": _PROPERTY}}
            },
        },
    },
}
_CALL = {"id": "call_1", "function": {"index": 0, "name": "f", "arguments": {"city": "Rome", "n": 1.5}}}
_MESSAGES = [
    {"role": "user", "content": "hello", "images": ["aGk="]},
    {"role": "assistant", "content": "", "thinking": "well", "tool_calls": [_CALL]},
    {"role": "tool", "tool_name": "f", "tool_call_id": "call_1", "content": "sunny"},
]
_OPTIONS = {"num_predict": 3, "temperature": 0.5, "stop": ["a"], "use_mmap": True}
_COMMON = {
    "model": "m",
    "stream": False,
    "format": {"type": "object"},
    "keep_alive": "5m",
    "options": _OPTIONS,
    "think": "low",
    "truncate": True,
    "shift": False,
    "_debug_render_only": False,
    "logprobs": True,
    "top_logprobs": 3,
}
RIGHT: dict[str, dict[str, Any]] = {
    "chat": {**_COMMON, "messages": _MESSAGES, "tools": [_TOOL]},
    "generate": {
        **_COMMON,
        "prompt": "hello",
        "suffix": "",
        "system": "be short",
        "template": "",
        "context": [1, 2],
        "raw": False,
        "images": ["aGk="],
        "width": 1,
        "height": 2,
        "steps": 3,
    },
    "embed": {
        "model": "m",
        "input": ["a", "b"],
        "keep_alive": 5,
        "truncate": True,
        "dimensions": 2,
        "options": _OPTIONS,
    },
    "embeddings": {"model": "m", "prompt": "a", "keep_alive": "1h", "options": _OPTIONS},
    "show": {"model": "m", "name": "n", "system": "", "template": "", "verbose": True, "options": {}},
}

_VALUES: tuple[Any, ...] = (
    *(None, True, False, "", "text", "json", [], {}, [None], ["a", None], [1, 2, 256], {"a": {"b": []}}),
    *(0, 1, -1, 5, 300, 2**31, 2**63 - 1, 2**63, 10**30, 0.0, 1.5, -0.5, 1e3, "high", "very", "max"),
    *(
        "5m",
        "-1",
        "1d",
        "5 m",
        "1h30m",
        "1.5s",
        "0",
        "+0",
        ".5s",
        ".s",
        "9999999999h",
        "-2562047h47m16.854775808s",
    ),
    *(
        "1µs",
        "1μs",
        "10",
        "infinite",
        "5ü",
        'a"b\\c',
        "aGk",
        "aGk=",
        "a Gk=",
        "=aGk",
        "aG\nk=",
        "aGk=x",
        "aG=k",
        "aG==",
    ),
    *(Literal(t) for t in ("1e3", "1E400", "-0", "1.0", "-1e-400", "123456789012345678901", "0e0", "1e+2")),
    *(
        Literal(t)
        for t in (r'"\ud83d"', r'"\ude00x"', r'"\ud83d\ude00"', r'"\uD83D\u0041"', r'"\u0000"', r'"\/"')
    ),
    *(Literal(t) for t in ("01", "1.", "-", "+1", ".5", "1e", "1e+", "NaN", "Infinity", "-Infinity", "0x1")),
    *(
        Literal(t)
        for t in ("nul", "tru", "True", "falsy", "'a'", '"a', r'"\x"', r'"\u12"', '"\t"', "[1,]", "{,}")
    ),
    *(
        Literal(t)
        for t in ('{"a":1,}', '{"a" 1}', "{a:1}", "[1 2]", "[", "{", "]", '{"a":', "/*c*/1", "{1:2}")
    ),
    *(Literal("[" * n + "]" * n) for n in (2, 500, 1200, 9000, 10001)),
    *(Literal(t) for t in ('{"\\ud83d":1}', '{"a":1,"a":"b"}', '{"TYPE":5}', '{"\u017fystem":5}')),
)
_BYTES = (
    b"\xff",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\x7f",
    b"\\",
    b'"',
    b"{",
    b"}",
    b",",
    b" ",
)
_TAILS = (b"", b"\n", b"{}", b"\n{}", b" x", b"\xff", b"]", b"\x00", b',"a":1}')


def generated(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield endpoints and bodies for them.

    Args:
        seed: The same seed gives the same bodies.
        count: How many.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    paths = list(RIGHT)
    for number in range(count):
        path = paths[number % len(paths)]
        tree = _members(RIGHT[path])
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
            chance.choice(_CHANGES)(tree, chance)
        yield path, _spoilt(_text(tree).encode("utf-8", "surrogatepass"), chance)


def _members(value: Any) -> Any:
    if isinstance(value, dict):
        return Members((name, _members(member)) for name, member in value.items())
    return [_members(item) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, Members):
        return "{" + ",".join(f"{json.dumps(name)}:{_text(member)}" for name, member in value) + "}"
    if isinstance(value, dict):
        return _text(_members(value))
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _places(tree: Any) -> list[tuple[Any, int]]:
    """Return every list and object with the position of each value in it."""
    found = []
    rest = [tree]
    while rest:
        inner = rest.pop()
        for at, item in enumerate(inner):
            found.append((inner, at))
            value = item[1] if isinstance(inner, Members) else item
            if isinstance(value, list):
                rest.append(value)
    return found


def _put(inner: Any, at: int, value: Any) -> None:
    inner[at] = (inner[at][0], value) if isinstance(inner, Members) else value


def _replace(tree: Any, chance: random.Random) -> None:
    inner, at = chance.choice(_places(tree) or [(tree, 0)])
    if inner:
        _put(inner, at, chance.choice(_VALUES))


def _replace_above(tree: Any, chance: random.Random) -> None:
    """Change a field of the outermost object: there are few of them, and they differ most."""
    if tree:
        _put(tree, chance.randrange(len(tree)), chance.choice(_VALUES))


def _repeat(tree: Any, chance: random.Random) -> None:
    """Say a member twice, in another case or with another value."""
    objects = [inner for inner, _ in _places(tree) if isinstance(inner, Members)] or [tree]
    inner = chance.choice(objects)
    if inner:
        name, value = chance.choice(inner)
        changed = chance.choice(
            (name, name.upper(), name.title(), name.replace("s", "\u017f").replace("k", "\u212a"))
        )
        inner.insert(chance.randrange(len(inner) + 1), (changed, chance.choice((value, value, *_VALUES))))


def _rename(tree: Any, chance: random.Random) -> None:
    objects = [(inner, at) for inner, at in _places(tree) if isinstance(inner, Members)]
    if objects:
        inner, at = chance.choice(objects)
        name, value = inner[at]
        inner[at] = (chance.choice((name.upper(), name.title(), f"{name} ", "", name[::-1])), value)


def _drop(tree: Any, chance: random.Random) -> None:
    places = _places(tree)
    if places:
        inner, at = chance.choice(places)
        del inner[at]


_CHANGES: tuple[Callable[[Any, random.Random], None], ...] = (
    *(_replace, _replace, _replace, _replace_above, _replace_above),
    *(_repeat, _rename, _drop),
)


def _spoilt(body: bytes, chance: random.Random) -> bytes:
    """Return a body with what may follow it, and now and then with a byte put in, taken out or cut off."""
    kind = chance.randrange(12)
    at = chance.randrange(len(body) + 1)
    if kind == 0:
        return body[:at] + chance.choice(_BYTES) + body[at:]
    if kind == 1:
        return body[:at] + body[at + 1 :]
    if kind == 2:
        return body[:at]
    return body + chance.choice(_TAILS)
