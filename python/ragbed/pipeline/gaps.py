"""Gaps: what is asked and not covered, by rules that say why.

The top cosine alone does not tell an unanswerable question from a hard one, so the rules look at words: which words
of the question the corpus has at all, and how many of them, rare ones counting more, one document brings together.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ragbed.pipeline.platforms import platform_names
from ragbed.pipeline.terms import stem, terms
from ragbed.segmentation import is_hiragana, is_spaceless

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.pipeline.ports import Vocabulary
    from ragbed.pipeline.records import GapKind, ScoredChunk

_FILLERS = frozenset(
    stem(word)
    for word in """
    actually answer ask best better bring call cause change choose come correct correctly different
    difference exactly explain find fix give go good happen help know long look mean means need new
    possible problem proper reason recommend right run running safe safely say see set setup show
    simple sometimes suddenly tell thing think time try two use useful user using want way well
    whole work write wrong
    """.split()  # noqa: SIM905 - a list literal of so many words is a page of quotes
)
"""Stems that a question has because it is a question; they say little about what it asks for."""

_ASKING = re.compile(
    "为什么|為什麼|什么|什麼|甚么|多少|怎么|怎麼|怎样|怎樣|如何|哪里|哪裡|哪个|哪個|多久|何时|何時|请问|請問|是否|吗|嗎|呢"
    "|อะไร|อย่างไร|ยังไง|เมื่อไหร่|เมื่อไร|ทำไม|ที่ไหน|เท่าไหร่|เท่าไร|หรือไม่|ไหม"
    "|무엇|어떻게|언제|어디|얼마"
)
"""What a question in Chinese, Thai or Korean has because it is a question; Japanese writes this in hiragana."""

_DAYS_PER_MONTH = 30.44


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRules:
    """Numbers that the rules compare with.

    Attributes:
        missing_below: Coverage by the best document under which the topic is missing.
        mostly_known: Known share from which other wording is likelier than a gap, so that the next number counts.
        missing_below_known: As `missing_below`, where the corpus has most of the question's words somewhere.
        thin_below: Coverage under which one single document is too thin.
        name_coverage: Coverage from which an unknown name, not on our list of platforms, is let pass.
        name_known_share: Known share below which such a name is a mere part of a topic that is foreign as a whole.
        stale_months: Evidence older than this is stale.
    """

    missing_below: float = 0.42
    mostly_known: float = 0.7
    missing_below_known: float = 0.28
    thin_below: float = 0.55
    name_coverage: float = 0.6
    name_known_share: float = 0.2
    stale_months: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedGap:
    """A gap before it is kept.

    Attributes:
        kind: What is missing.
        subject: The words that are not covered.
        reasons: Why we think so, a sentence each.
        evidence: Documents that came nearest, best first.
    """

    kind: GapKind
    subject: str
    reasons: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How far passages bring a question's words together.

    Attributes:
        weights: Rarity of each content term of the question: its IDF in the corpus.
        by_document: Share, 0 to 1, of the question's weight that each document's passages hold.
        unknown: Terms that the whole corpus lacks.
    """

    weights: Mapping[str, float]
    by_document: Mapping[str, float]
    unknown: frozenset[str]

    @property
    def best(self) -> float:
        """The share of the document that holds most."""
        return max(self.by_document.values(), default=0.0)

    @property
    def nearest(self) -> tuple[str, ...]:
        """Documents that hold anything of it, those with most first; equals stay in the order they were found."""
        held = [path for path, share in self.by_document.items() if share > 0]
        return tuple(sorted(held, key=lambda path: -self.by_document[path]))

    @property
    def known_share(self) -> float:
        """Share of the question's weight that the corpus has anywhere."""
        total = sum(self.weights.values())
        lacking = sum(self.weights[term] for term in self.unknown)
        return 1 - lacking / total if total else 1.0


def content_terms(question: str) -> list[str]:
    """Return the distinct terms that say what a question is about; all its terms where that leaves none."""
    every = list(dict.fromkeys(terms(question)))
    asked = dict.fromkeys(terms(_ASKING.sub(" ", question)))
    return [term for term in asked if term not in _FILLERS and not is_hiragana(term)] or every


def measure(question: str, passages: Sequence[ScoredChunk], vocabulary: Vocabulary) -> Coverage:
    """Return how far the passages bring the question's words together.

    Args:
        question: As asked.
        passages: What was found for it.
        vocabulary: In how many documents each of `content_terms` occurs.
    """
    weights = {term: _rarity(term, vocabulary) for term in content_terms(question)}
    held: dict[str, set[str]] = {}
    for passage in passages:
        words = set(terms(f"{passage.title} {passage.heading} {passage.text}"))
        held.setdefault(passage.document, set()).update(words & weights.keys())
    total = sum(weights.values()) or 1.0
    return Coverage(
        weights=weights,
        by_document={path: sum(weights[term] for term in matched) / total for path, matched in held.items()},
        unknown=frozenset(term for term in weights if not vocabulary.frequencies.get(term)),
    )


def find_gap(
    question: str,
    passages: Sequence[ScoredChunk],
    vocabulary: Vocabulary,
    *,
    today: date,
    rules: GapRules = GapRules(),
) -> DetectedGap | None:
    """Return what the corpus lacks for a question, or None when it is covered, or names nothing at all.

    Args:
        question: As asked.
        passages: What was found for it, best first.
        vocabulary: In how many documents each of `content_terms` occurs.
        today: Age is counted back from here.
        rules: Numbers to compare with.
    """
    coverage = measure(question, passages, vocabulary)
    if not coverage.weights:
        return None  # "what?" asks for nothing that could be missing
    evidence = coverage.nearest[:3]
    for rule in (_missing_platform, _missing_topic, _thin_coverage):
        gap = rule(question, coverage, rules)
        if gap:
            kind, subject, reasons = gap
            return DetectedGap(kind=kind, subject=subject, reasons=reasons, evidence=evidence)
    return _stale(passages, coverage, today, rules)


def unanswered(question: str, passages: Sequence[ScoredChunk]) -> DetectedGap:
    """Return the gap of a question whose words are covered, and which the model did not answer.

    Args:
        question: As asked.
        passages: What the model was given, best first.
    """
    return DetectedGap(
        kind="unanswered",
        subject=" ".join(content_words(question)[:4]) or " ".join(question.split()),
        reasons=("the model said that the passages do not answer the question",),
        evidence=tuple(dict.fromkeys(passage.document for passage in passages))[:3],
    )


_Found = tuple["GapKind", str, tuple[str, ...]] | None


def _missing_platform(question: str, coverage: Coverage, rules: GapRules) -> _Found:
    listed, looks = platform_names(question)
    missing = [name for name in listed if _unknown(name, coverage)]
    if coverage.best < rules.name_coverage and coverage.known_share >= rules.name_known_share:
        missing += [name for name in looks if name not in missing and _unknown(name, coverage)]
    if not missing:
        return None
    names = ", ".join(missing)
    reasons = (f"the question names {names}, which no document mentions", _best_sentence(coverage))
    return "missing_platform", names, reasons


def _missing_topic(question: str, coverage: Coverage, rules: GapRules) -> _Found:
    mostly_known = coverage.known_share >= rules.mostly_known
    if coverage.best >= (rules.missing_below_known if mostly_known else rules.missing_below):
        return None
    reasons = [_best_sentence(coverage)]
    if unknown := _words_of(question, coverage.unknown):
        reasons.append(f"no document has {_listed(unknown)}")
    return "missing_topic", _subject(question, coverage), tuple(reasons)


def _thin_coverage(question: str, coverage: Coverage, rules: GapRules) -> _Found:
    helpful = [path for path, share in coverage.by_document.items() if share >= coverage.best / 2]
    if coverage.best >= rules.thin_below or len(helpful) != 1:
        return None
    reasons = (_best_sentence(coverage), f"only {helpful[0]} has more than half of that")
    return "thin_coverage", _subject(question, coverage), reasons


def _stale(
    passages: Sequence[ScoredChunk], coverage: Coverage, today: date, rules: GapRules
) -> DetectedGap | None:
    dates = {passage.document: str(passage.metadata.get("updated") or "") for passage in passages}
    good = [path for path, share in coverage.by_document.items() if share >= coverage.best * 0.75]
    ages = [(today - date.fromisoformat(dates[path])).days for path in good if dates[path]]
    if len(ages) < len(good) or not ages or min(ages) <= rules.stale_months * _DAYS_PER_MONTH:
        return None  # what has no date is not called old
    months = int(min(ages) / _DAYS_PER_MONTH)
    reason = (
        f"the newest of the documents that cover it is {months} months old; the limit is {rules.stale_months}"
    )
    return DetectedGap(kind="stale", subject=good[0], reasons=(reason,), evidence=tuple(good[:3]))


def _unknown(name: str, coverage: Coverage) -> bool:
    """Whether the corpus lacks every word of a name."""
    words = [term for term in terms(name) if term in coverage.weights]
    return bool(words) and all(word in coverage.unknown for word in words)


def _best_sentence(coverage: Coverage) -> str:
    if not coverage.best:
        return "no document that was found has any of its words"
    share = f"{coverage.best:.0%} of what the question asks for, rare words counting more"
    return f"the best document, {coverage.nearest[0]}, has {share}"


def _subject(question: str, coverage: Coverage) -> str:
    """Return the words that say what is missing: unknown ones, else the rarest."""
    rarest = sorted(coverage.weights, key=lambda term: (-coverage.weights[term], term))[:4]
    words = _words_of(question, coverage.unknown) or _words_of(question, frozenset(rarest))
    return " ".join(words[:4]) or " ".join(question.split())


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:6]) + (" and others" if len(words) > 6 else "")


def _rarity(term: str, vocabulary: Vocabulary) -> float:
    """Return the IDF of a term as BM25 has it, never below 0.

    An n-gram that the corpus lacks may straddle two words that it has: it weighs no more than one in one document.
    """
    frequency = vocabulary.frequencies.get(term, 0) or int(is_spaceless(term))
    documents = max(
        vocabulary.documents, frequency
    )  # a document that is just being written has terms already
    return math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))


def content_words(question: str) -> list[str]:
    """Return the words behind `content_terms`, as they stand in the question, each once."""
    return _words_of(question, frozenset(content_terms(question)))


def _words_of(question: str, wanted: frozenset[str]) -> list[str]:
    words = [word.strip(".,;:!?()[]{}'\"`") for word in question.split()]
    parts = [part for word in words if word for part in _wanted_parts(word, wanted)]
    return list(dict.fromkeys(parts))


def _wanted_parts(word: str, wanted: frozenset[str]) -> list[str]:
    """Return a word that has a wanted term; of one without spaces, the letters that no other term has."""
    own = set(terms(word))
    if own.isdisjoint(wanted):
        return []
    if not is_spaceless(word):
        return [word]
    lower = word.lower()
    shown = _covered(lower, own & wanted) - _covered(lower, own - wanted)
    return "".join(letter if place in shown else " " for place, letter in enumerate(word)).split()


def _covered(text: str, parts: set[str]) -> set[int]:
    """Return the places in a text that any of the parts takes."""
    return {
        place
        for part in parts
        for start in range(len(text))
        if text.startswith(part, start)
        for place in range(start, start + len(part))
    }
