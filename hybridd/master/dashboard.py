"""The live dashboard of the admin endpoint: one static page with its style and its script, which looks at /status.

It is the same for everybody, so there is nothing to escape here.  What comes from outside (the path of a request, the
last line of a traceback) reaches the page in the JSON of /status only, and becomes text there, never markup: besides
scripts, styles and pictures of others, the policy takes away what could make markup of text (trusted types).

Knows:     its three parts, the policy that they need.
Never:     asks anybody: the browser does.
Runs in:   the master, its only thread; constants.
"""

from __future__ import annotations

import json
from typing import Final

from hybridd.master.admin import Page
from hybridd.master.dashboard_page import MARKUP
from hybridd.master.dashboard_script import SCRIPT
from hybridd.master.dashboard_style import STYLE
from hybridd.master.deaths import PLANNED

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)

PAGE: Final = Page(MARKUP.encode(), "text/html; charset=utf-8", sources=_POLICY)

PARTS: Final = {
    "/dashboard.css": Page(STYLE.encode(), "text/css; charset=utf-8"),
    "/dashboard.js": Page(
        SCRIPT.replace("PLANNED_CAUSES", json.dumps(sorted(PLANNED))).encode(), "text/javascript; charset=utf-8"
    ),
}
