"""An application that takes its time to load: until the file `go` is in the service's StateDirectory=."""

import os
import time
from pathlib import Path

from service import app  # noqa: F401 - what is served

while not Path(os.environ["STATE_DIRECTORY"], "go").exists():
    time.sleep(0.01)
