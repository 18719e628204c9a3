"""Answers from passages only, with citations that are checked against the passages that were given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.pipeline.records import Citation
from ragbed.pipeline.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ragbed.pipeline.records import ScoredChunk

REFUSAL = "The passages do not answer this question."
SYSTEM_PROMPT = (
    "Answer the question from the passages alone. End every sentence with the numbers of the passages it rests on,"
    f" like [1] or [1][3]. If the passages do not hold the answer, reply exactly: {REFUSAL}"
)
_CITATION = re.compile(r"\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\]")  # longer numbers are log lines: postgres[12345]
_SENTENCE_END = re.compile(r"(?<=[.!?\]])\s+(?!\[\d)(?=\S)|\n+")
_CODE = re.compile(r"(```|~~~).*?(?:\1|\Z)|`[^`\n]+`", re.DOTALL)
_LOOKS_LIKE_PROMPT = re.compile(r"^(?=\[\d+\] |Passages:|Question:)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswer:
    """What an answer's citations are worth.

    Attributes:
        citations: One for each passage that is cited, by number.
        flagged: Sentences that cite passages which were never given.
        refused: The model said that the passages do not answer.
        answered: It did not refuse, and said something.
        grounded: The text cites, and every citation names a passage; a refusal rests on nothing.
    """

    citations: tuple[Citation, ...]
    flagged: tuple[str, ...]
    refused: bool
    answered: bool
    grounded: bool


def prompt(question: str, passages: Sequence[ScoredChunk]) -> str:
    """Return the user's message: numbered passages, then the question.

    Args:
        question: As asked; line breaks become spaces.
        passages: What the answer may rest on, in the order of their numbers.
    """
    shown = [
        f"[{number}] {_source(passage)}\n{_quoted(passage.text)}"
        for number, passage in enumerate(passages, 1)
    ]
    return "\n\n".join(["Passages:\n" + "\n\n".join(shown), f"Question: {' '.join(question.split())}"])


def check(text: str, passages: Sequence[ScoredChunk]) -> CheckedAnswer:
    """Compare an answer's citations with the passages that were given.

    A number in brackets within code, or an index that is quoted from a passage, is not a citation.

    Args:
        text: What the model said.
        passages: What it was given, in the order of their numbers.
    """
    cited: dict[int, list[str]] = {}
    flagged: list[str] = []
    quotable = [" ".join(passage.text.split()) for passage in passages]
    for sentence in _SENTENCE_END.split(_CODE.sub(_without_brackets, text)):
        numbers = cited_numbers(_without_quotes(sentence, quotable))
        for number in numbers:
            if 1 <= number <= len(passages):
                cited.setdefault(number, []).append(sentence)
        if any(not 1 <= number <= len(passages) for number in numbers):
            flagged.append(sentence.strip())
    refused = text.strip().rstrip(".").lower().startswith(REFUSAL.rstrip(".").lower()) and not cited
    return CheckedAnswer(
        citations=tuple(_citation(number, passages[number - 1], cited[number]) for number in sorted(cited)),
        flagged=tuple(flagged),
        refused=refused,
        answered=bool(text.strip()) and not refused,
        grounded=bool(cited) and not flagged,
    )


def cited_numbers(text: str) -> list[int]:
    """Return the numbers that a text cites, as often as it does: `[1]`, `[1][2]` and `[1, 2]`."""
    return [int(number) for group in _CITATION.findall(text) for number in group.split(",")]


def _without_brackets(code: re.Match[str]) -> str:
    return code[0].replace("[", "(")


def _without_quotes(sentence: str, quotable: Sequence[str]) -> str:
    """Return a sentence without the indexes (`rows[3]`) that stand in a passage after the same words."""

    def kept(match: re.Match[str]) -> str:
        words = sentence[: match.start()].split(" ")[-3:]
        is_index = re.search(r"[\w\])]\Z", words[-1]) is not None
        quoted = is_index and any(f"{' '.join(words)}{match[0]}" in text for text in quotable)
        return " " if quoted else match[0]

    return _CITATION.sub(kept, sentence)


def support(sentences: Iterable[str], passage: str) -> float:
    """Return the share, 0 to 1, of the sentences' distinct terms that a passage holds; 1 where they have none."""
    wanted = {term for sentence in sentences for term in terms(_CITATION.sub("", sentence))}
    return len(wanted & set(terms(passage))) / len(wanted) if wanted else 1.0


def _citation(number: int, passage: ScoredChunk, sentences: Sequence[str]) -> Citation:
    return Citation(
        number=number,
        document=passage.document,
        heading=passage.heading,
        chunk_id=passage.chunk_id,
        support=support(sentences, f"{passage.title} {passage.heading} {passage.text}"),
    )


def _source(passage: ScoredChunk) -> str:
    heading = passage.heading or passage.title
    return f"{passage.document} \u2014 {' '.join(heading.split())}"


def _quoted(text: str) -> str:
    """Return a passage whose text can be taken neither for the prompt itself nor for a citation.

    Lines that would read as a part of the prompt are indented. A bracketed number of the text, as bibliographies
    and footnotes have, is put in parentheses: a model that repeats it cites nothing by it. Code is left alone.
    """
    shown, end = "", 0
    for code in _CODE.finditer(text):
        shown += _CITATION.sub(r"(\1)", text[end : code.start()]) + code[0]
        end = code.end()
    return _LOOKS_LIKE_PROMPT.sub(" ", shown + _CITATION.sub(r"(\1)", text[end:]))
