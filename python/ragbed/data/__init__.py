"""The corpus and the golden questions that ragbed brings along."""

from ragbed.data.lessons import lessons_folder, questions_file
from ragbed.data.questions import Question, load_questions

__all__ = ["Question", "lessons_folder", "load_questions", "questions_file"]
