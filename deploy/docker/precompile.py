"""Compiles every module that maskstream loads, and those only, while an image is built.

In a container nobody may write beside the sources, so what is not compiled here is compiled anew at
each start. The files are taken unchecked, as a layer may be unpacked with other times than those it
was made with. Fails where a module cannot be loaded, but for want of torch.
"""

import importlib
import pkgutil
import py_compile
import sys
from importlib.util import cache_from_source
from pathlib import Path

import connectors
import stream

OPTIONAL = {"matplotlib", "nncf", "torch", "torchvision", "ultralytics", "safetensors"}


def load_all() -> None:
    """Import every module of both packages."""
    for package in (connectors, stream):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in OPTIONAL:
                    raise


def compile_loaded() -> None:
    """Compile what has been loaded and is not compiled yet, but for this."""
    loaded = {getattr(module, "__file__", None) or "" for module in sys.modules.values()}
    for source in sorted(loaded - {__file__}):
        is_source = source.endswith(".py") and Path(source).is_file()  # torch has made-up modules
        if is_source and not Path(cache_from_source(source)).exists():
            unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(source, doraise=True, invalidation_mode=unchecked)


load_all()
compile_loaded()
