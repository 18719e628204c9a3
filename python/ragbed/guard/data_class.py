"""How far data may go: one word for what a file or a snapshot holds, from the freest on."""

from __future__ import annotations

from typing import Literal

DataClass = Literal["public", "synthetic", "internal", "personal"]
"""`public`: anybody may have it. `synthetic`: it was made for tests. `internal`: it came from a user's own documents,
machine or project, and is kept out of what is shared. `personal`: it tells of persons.

Secrets have no class: they are taken out before anything is written.
"""
