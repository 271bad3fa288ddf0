"""`python -m turinglearn` is the command `turinglearn`."""

from turinglearn.cli.main import main

if __name__ == "__main__":
    main()
