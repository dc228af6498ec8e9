"""Adds to pyproject.toml what it cannot say: templates, plans and documentation travel inside the package."""

from setuptools import find_namespace_packages, setup

BESIDE = ("docs", "message_templates", "schedules")
"""Folders beside the package in a checkout, inside it once installed."""

DATA = ("md", "html", "txt", "css", "svg", "png", "yaml", "json", "csv", "mako", "ini", "po", "pot", "mo")

setup(
    packages=[
        *find_namespace_packages(include=["commsengine*"]),
        *(f"commsengine.{folder}" for folder in BESIDE),
        "commsengine.docs.pictures",
    ],
    package_dir={f"commsengine.{folder}": folder for folder in BESIDE} | {"commsengine.docs.pictures": "docs/pictures"},
    package_data={"": [f"*.{ending}" for ending in DATA]},
)
