"""Tells, in a container, what maskstream cannot load and what is compiled anew at each start."""

import importlib
import json
import pkgutil
import sys
from importlib.util import cache_from_source
from pathlib import Path

import connectors
import stream

absent = set()
for package in (connectors, stream):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            absent.add(error.name)

named = {str(getattr(each, "__file__", None)) for each in list(sys.modules.values())}
sources = {each for each in named if each.endswith(".py") and Path(each).is_file()}
uncompiled = [each for each in sources - {__file__} if not Path(cache_from_source(each)).exists()]
print(json.dumps({"absent": sorted(map(str, absent)), "uncompiled": sorted(uncompiled)}))
