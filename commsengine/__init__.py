"""commsengine: an internal-communications cadence engine."""

__version__ = "0.1.0"
