"""``python -m deploy.helm`` writes the README of the chart."""

from deploy.helm.readme import README, readme

README.write_text(readme())
