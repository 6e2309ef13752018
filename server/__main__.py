"""``python -m server`` is the same as ``att-mcp-server``."""

import sys

from server.cli import main

sys.exit(main())
