"""Chunks: nothing lost, nothing over the budget, structure kept."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.pipeline.chunking import chunk_document, embedded_text
from ragbed.pipeline.records import Chunk, Document
from ragbed.tokens import estimate_tokens

WORDS = " ".join(f"word{number}" for number in range(30))

PIECES = st.sampled_from(
    [
        "# One\n",
        "## Two\n\n",
        "text here. And more!\n",
        "\n",
        "\r\n",
        "```\ncode\n",
        "```\n",
        "- item\n",
        "  - inner\n",
        "> quote\n",
        "| a | b |\n|---|---|\n",
        "    indented\n",
        "[ref]: http://x\n",
        "\u2028",
        "\x0b",
        "漢字かな",
        "x" * 50,
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=30).map("".join))


def document(body: str, *, title: str = "Title", markdown: bool = True) -> Document:
    """Return a document with this body."""
    return Document(path="a.md", title=title, body=body, markdown=markdown)


@given(body=TEXTS, budget=st.integers(min_value=1, max_value=100), markdown=st.booleans())
def test_chunks_without_overlap_give_back_the_body(body: str, budget: int, markdown: bool) -> None:
    """No character is lost, doubled or moved."""
    chunks = chunk_document(document(body, markdown=markdown), budget=budget)

    assert "".join(chunk.text for chunk in chunks) == body


@given(body=TEXTS, budget=st.integers(min_value=1, max_value=100), markdown=st.booleans())
def test_no_chunk_is_over_the_budget(body: str, budget: int, markdown: bool) -> None:
    """Whatever the text, the estimate stays within the budget."""
    chunks = chunk_document(document(body, markdown=markdown), budget=budget)

    assert all(estimate_tokens(chunk.text) <= budget for chunk in chunks)


@given(first=st.text(max_size=50), second=st.text(max_size=50))
def test_joined_texts_have_no_more_tokens_than_their_sum(first: str, second: str) -> None:
    """Packing relies on it."""
    assert estimate_tokens(first + second) <= estimate_tokens(first) + estimate_tokens(second)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("```sh\n" + "run it now\n\n" * 10 + "```\n", id="fence"),
        pytest.param("| a | b |\n|---|---|\n" + "| c | d |\n" * 8, id="table"),
        pytest.param("- item one\n\n" * 10, id="list"),
    ],
)
def test_block_that_fits_is_not_cut(block: str) -> None:
    """A fence, a table or a list within the budget stays in one chunk."""
    body = f"{WORDS}\n\n{block}\n{WORDS}\n"

    chunks = chunk_document(document(body), budget=100)

    assert any(block.strip() in chunk.text for chunk in chunks)


def test_long_list_is_cut_between_items() -> None:
    """A list over the budget gives whole items."""
    body = "".join(f"- item {number} has\n  two lines\n" for number in range(40))

    chunks = chunk_document(document(body), budget=50)

    assert len(chunks) > 1
    assert all(chunk.text.startswith("- item") for chunk in chunks)


def test_long_fence_is_cut_between_lines() -> None:
    """A fence over the budget gives whole lines."""
    body = "```\n" + "one two three four\n" * 60 + "```\n"

    chunks = chunk_document(document(body), budget=50)

    assert all(chunk.text.endswith("\n") for chunk in chunks)


def test_chunk_knows_the_headings_above_it() -> None:
    """The path holds every level, without the document's title."""
    body = f"# Title\n\n## Setup\n\n### Port\n\n{WORDS}\n\n## Check\n\n{WORDS}\n"

    chunks = chunk_document(document(body), budget=80)

    assert [chunk.heading for chunk in chunks] == [("Setup", "Port"), ("Check",)]


def test_heading_in_a_fence_is_code() -> None:
    """A comment sign in a shell fence opens no section."""
    body = f"# Title\n\n```sh\n# comment\nls\n```\n\n{WORDS}\n"

    assert {chunk.heading for chunk in chunk_document(document(body), budget=40)} == {()}


def test_embedded_text_opens_with_title_and_headings() -> None:
    """A chunk is found by what stands above it, too."""
    chunk = Chunk(text="\nbody\n", heading=("A", "B"), index=0)

    assert embedded_text("T", chunk) == "T > A > B\nbody"


def test_overlap_repeats_the_end_of_the_chunk_before() -> None:
    """The repeated text is kept apart from the chunk's own."""
    chunks = chunk_document(document(f"{WORDS} {WORDS}"), budget=60, overlap=10)

    assert chunks[0].overlap == ""
    assert all(
        chunk.overlap and before.text.endswith(chunk.overlap) for before, chunk in itertools.pairwise(chunks)
    )


@pytest.mark.parametrize(
    ("text", "least"),
    [
        pytest.param("plain words only", 3, id="prose"),
        pytest.param("curl -X POST http://localhost:6333/collections", 12, id="links"),
        pytest.param("1234567890", 5, id="digits"),
        pytest.param("漢字", 2, id="ideographs"),
    ],
)
def test_tokens_are_not_words(text: str, least: int) -> None:
    """Signs and numbers cost tokens that a count of words does not see."""
    assert estimate_tokens(text) >= least
