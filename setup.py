"""Adds to pyproject.toml what it cannot say: the shipped templates and plans travel inside the package."""

from setuptools import find_namespace_packages, setup

BESIDE = ("message_templates", "schedules")
"""Folders beside the package in a checkout, inside it once installed."""

DATA = ("md", "html", "txt", "css", "svg", "yaml", "json", "csv", "mako", "ini", "po", "pot", "mo")

setup(
    packages=[*find_namespace_packages(include=["commsengine*"]), *(f"commsengine.{folder}" for folder in BESIDE)],
    package_dir={f"commsengine.{folder}": folder for folder in BESIDE},
    package_data={"": [f"*.{ending}" for ending in DATA]},
)
