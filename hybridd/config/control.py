"""Where the control socket is: what the setting and the environment say.

Knows:     the setting, systemd's RUNTIME_DIRECTORY.
Never:     binds it (master/control.py), asks on it (cli/verb.py): a verb would import the whole master, and take twice
           as long to start.
Runs in:   the master, the command line tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE: Final = "hybridd.ctl"


def control_path(setting: str, environment: Mapping[str, str]) -> str:
    """Return where the control socket is to be, empty for nowhere."""
    if setting == "off":
        return ""
    if setting != "auto":
        return setting
    directory = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]  # one of several: systemd.exec(5)
    return str(Path(directory) / FILE) if directory else ""
