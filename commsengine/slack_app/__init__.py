"""Answers given in Slack."""

from commsengine.slack_app.interactions import SlackApp

__all__ = ["SlackApp"]
