"""``python -m lenet.cli`` is ``lenet``."""

from lenet.cli import main

main()
