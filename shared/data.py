"""An old command that says the new one."""

import sys

NEW = "python -m shared.book.data"

if __name__ == "__main__":
    print(f"python -m shared.data has moved. Now it is: {NEW}", file=sys.stderr)
    sys.exit(2)
