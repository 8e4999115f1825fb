"""A program that tells what it was given (with 0), or never ends to write (with 1)."""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Write the environment and what came on stdin; or a flood."""
    if sys.argv[1] == "0":
        sys.stdout.write(json.dumps({"environment": sorted(os.environ), "data": len(sys.stdin.buffer.read())}))
    while sys.argv[1] == "1":
        sys.stdout.write("flood " * 1000)


if __name__ == "__main__":
    main()
