"""`python -m oriel`: the command line."""

from oriel.cli import main

if __name__ == "__main__":
    main()
