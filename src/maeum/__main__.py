"""`python -m maeum`, and `torchrun -m maeum` for several processes."""

from maeum.cli import main

if __name__ == "__main__":
    main()
