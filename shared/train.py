"""An old command that says the new one."""

import sys

NEW = "python -m shared.training --out runs/mine"

if __name__ == "__main__":
    print(f"python -m shared.train has moved. Now it is: {NEW}", file=sys.stderr)
    sys.exit(2)
