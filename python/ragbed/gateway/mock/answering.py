"""Answers without a model: the sentences of the passages that cover the question best, quoted and cited.

A question's content words are weighted by how few passages hold them (inverse document frequency over the
passages given; a word that none holds weighs most). A sentence covers a word if it, its passage's header or a
heading of its passage holds it. Below `COVERAGE_THRESHOLD` of the weight, nothing is answered.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.gateway.mock.passages import headings, parse_prompt, sentences
from ragbed.gateway.mock.words import content_stems, split_words, stem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.gateway.mock.passages import Passage, Prompt

DEFAULT_ANSWER = "I am a mock LLM response."
REFUSAL = "The passages do not answer this question."

COVERAGE_THRESHOLD = 0.55
"""Least share of the question's weight that the best sentence must cover; below it the mock refuses."""

_MOST_SENTENCES = 3
_LEAST_GAIN = 0.12  # a further sentence must add that share of the question's weight
_CONTEXT_SHARE = 0.6  # what a word is worth for the ranking when only the heading holds it
_LENGTH_PENALTY = 0.002  # per word over _COMFORTABLE_WORDS, so that a short sentence wins a tie
_COMFORTABLE_WORDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    number: int
    text: str
    own: frozenset[str]
    covered: frozenset[str]
    words: int


def answer(message: str, *, as_json: bool = False) -> str:
    """Return the mock's answer to a user message.

    Args:
        message: Under the prompt contract of `passages`, or anything else.
        as_json: Return `{"answer": …, "citations": […]}` instead of plain text.

    Returns:
        Quoted sentences, each followed by its passage number in brackets; `REFUSAL` when the passages do not
        cover the question; `DEFAULT_ANSWER` when the message holds no passages and question.
    """
    prompt = parse_prompt(message)
    chosen = _choose(prompt) if prompt else []
    fallback = REFUSAL if prompt else DEFAULT_ANSWER
    text = " ".join(f"{candidate.text} [{candidate.number}]" for candidate in chosen) or fallback
    if not as_json:
        return text
    citations = sorted({candidate.number for candidate in chosen})
    return json.dumps({"answer": text, "citations": citations}, ensure_ascii=False)


def _choose(prompt: Prompt) -> list[_Candidate]:
    """Return the sentences to quote, best first; none when the best covers too little."""
    asked = content_stems(prompt.question)
    weights = _weights(asked, prompt.passages)
    total = math.fsum(weights.values())
    candidates = _candidates(prompt.passages, frozenset(asked))
    best = max(candidates, key=lambda one: _score(one, weights, total), default=None)
    if best is None or _weigh(best.covered, weights) < COVERAGE_THRESHOLD * total:
        return []
    return _extend(best, candidates, weights, total)


def _extend(
    best: _Candidate, candidates: Sequence[_Candidate], weights: Mapping[str, float], total: float
) -> list[_Candidate]:
    """Add sentences while they bring words of the question that those chosen lack."""
    chosen = [best]
    while len(chosen) < _MOST_SENTENCES:
        known = frozenset().union(*(one.own for one in chosen))
        gains = [(_weigh(one.own - known, weights), _score(one, weights, total), one) for one in candidates]
        gain, _, following = max(gains, key=lambda each: each[:2])
        if gain < _LEAST_GAIN * total:
            break
        chosen.append(following)
    return chosen


def _weights(asked: Sequence[str], passages: Sequence[Passage]) -> dict[str, float]:
    """Return the inverse document frequency of each word asked, over the passages given."""
    held = [_stems(f"{passage.source}\n{passage.text}") for passage in passages]
    return {
        word: math.log1p(len(held) / (1 + sum(word in words for words in held))) if held else 1.0
        for word in asked
    }


def _candidates(passages: Sequence[Passage], asked: frozenset[str]) -> list[_Candidate]:
    """Return every sentence that holds a word asked, once, in the order of the passages."""
    candidates: dict[str, _Candidate] = {}
    for passage in passages:
        context = _stems("\n".join([passage.source, *headings(passage.text)])) & asked
        for text in sentences(passage.text):
            own = _stems(text) & asked
            if own and text not in candidates and not text.rstrip().endswith("?"):  # a question answers none
                candidates[text] = _Candidate(
                    number=passage.number, text=text, own=own, covered=own | context, words=len(text.split())
                )
    return list(candidates.values())


def _score(candidate: _Candidate, weights: Mapping[str, float], total: float) -> float:
    in_context = _weigh(candidate.covered - candidate.own, weights)
    coverage = (_weigh(candidate.own, weights) + _CONTEXT_SHARE * in_context) / total
    return coverage - _LENGTH_PENALTY * max(0, candidate.words - _COMFORTABLE_WORDS)


def _weigh(words: frozenset[str], weights: Mapping[str, float]) -> float:
    return math.fsum(weights[word] for word in words)


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in split_words(text))
