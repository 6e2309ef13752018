"""``python -m server`` is the same as ``att-mcp-server``."""

import gc
import sys

gc.disable()  # what is imported stays: to look for garbage among it takes a fifth of the time to start

from server.cli import main  # noqa: E402 - under the line above

gc.freeze()
gc.enable()

if __name__ == "__main__":
    sys.exit(main())
