"""Words of any script: n-grams where there are no spaces."""

from __future__ import annotations

import pytest

from ragbed.segmentation import is_spaceless, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("Don't use snake_case.v2-x", ["don't", "use", "snake", "case", "v2", "x"], id="English"),
        pytest.param("Caf\u00e9 cafe\u0301", ["caf\u00e9", "caf\u00e9"], id="accents in both forms"),
        pytest.param(
            "\u7f13\u5b58\u65f6\u95f4", ["\u7f13\u5b58", "\u5b58\u65f6", "\u65f6\u95f4"], id="Chinese"
        ),
        pytest.param(
            "\u6c34\u9580\u306f\u958b\u304f", ["\u6c34\u9580", "\u306f", "\u958b", "\u304f"], id="Japanese"
        ),
        pytest.param("\uce90\uc2dc\ub97c", ["\uce90\uc2dc", "\uc2dc\ub97c"], id="Korean"),
        pytest.param(
            "\u0e17\u0e35\u0e48\u0e19", ["\u0e17\u0e35\u0e48", "\u0e35\u0e48\u0e19"], id="Thai with its marks"
        ),
        pytest.param(
            "\u0939\u093f\u0928\u094d\u0926\u0940",
            ["\u0939\u093f\u0928\u094d\u0926\u0940"],
            id="Hindi is one word",
        ),
        pytest.param("Redis\u7f13\u5b58v2", ["redis", "\u7f13\u5b58", "v2"], id="mixed"),
        pytest.param("\u3002\uff1f", [], id="signs alone"),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    """Lower case, compatibility form, in order."""
    assert split_words(text) == words


def test_scripts_without_spaces_are_told_from_others() -> None:
    """Greek and Russian write spaces."""
    assert [
        is_spaceless(text)
        for text in ("word", "\u03bb\u03cc\u03b3\u03bf\u03c2", "\u0441\u043b\u043e\u0432\u043e", "\u6c34")
    ] == [
        False,
        False,
        False,
        True,
    ]
