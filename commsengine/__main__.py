"""``python -m commsengine``."""

from commsengine.cli import main

main()
