"""The reference page is the declarations."""

from __future__ import annotations

from pathlib import Path

from hybridd.config.reference import page
from hybridd.config.settings import SCHEMA

PAGE = Path(__file__).resolve().parents[3] / "docs" / "settings.md"


def test_the_delivered_page_is_up_to_date():
    assert PAGE.read_text() == page(), "run: python -m hybridd.config.reference > docs/settings.md"


def test_every_setting_stands_on_the_page_with_all_its_names():
    text = page()
    for setting in SCHEMA.settings.values():
        section = text.partition(f"### `{setting.key}`\n")[2].partition("\n### ")[0]
        assert setting.declaration.help in section
        assert f"`{setting.variable}`" in section
        assert all(f"`{flag}`" in section for flag in setting.declaration.flags)
        assert ("*restart*" in section) == bool(setting.declaration.restart)
