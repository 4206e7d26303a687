"""Build-time code: turns public archives into the files of data/territory. The app never imports it."""

from coopconnect.territory.build.inputs import BuildError
from coopconnect.territory.build.run import BuildReport, build

__all__ = ["BuildError", "BuildReport", "build"]
