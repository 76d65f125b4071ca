"""The commands of a page of the manual, as readers copy them: the fenced blocks with the word sh, by heading.

Knows:     Markdown's headings and fences.
Never:     runs anything.
Runs in:   the test process.
"""

from __future__ import annotations

import re


def commands(page: str) -> dict[str, list[str]]:
    """Return the blocks of each second-level heading, in their order."""
    found: dict[str, list[str]] = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        found[title] = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found
