"""`python -m turinglearn` is the command `turinglearn`."""

from turinglearn.cli import main

if __name__ == "__main__":
    main()
