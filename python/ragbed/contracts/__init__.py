"""Conformance suites: what a server must do to stand for another, case by case."""
