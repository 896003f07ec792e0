"""How the process ends."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process with `code`, at once where a thread hangs in a library.

    Python up to 3.13 ends a daemon thread that comes back while the interpreter goes by unwinding
    its stack, and where that is C++, as in OpenCV, the process is aborted instead.
    """
    if any(thread.daemon for thread in threading.enumerate()):
        logging.shutdown()
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
