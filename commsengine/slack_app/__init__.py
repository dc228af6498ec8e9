"""Answers given in Slack."""

from commsengine.slack_app.app import SlackApp

__all__ = ["SlackApp"]
