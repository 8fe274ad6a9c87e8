"""The command of long runs:  python -m shared.training --out runs/mine"""

from shared.training.long_run import main

if __name__ == "__main__":
    main()
