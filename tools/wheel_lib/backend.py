# SPDX-License-Identifier: MIT
"""What pip calls to build fireglass from its sources (PEP 517): the system's compiler and libraries.

config settings: `build-dir=DIRECTORY` keeps what was compiled, `setup-args=WORD` is passed on to meson setup (more
than once: a list). tools/wheel makes the wheels for everybody.
"""

import os
import pathlib
import re
import shutil
import sys
import sysconfig
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from wheel_lib import building, metadata, sdist  # noqa: E402
from wheel_lib.common import ROOT, WheelError  # noqa: E402


def missing_tools():
    """From PyPI, what is not on PATH; they come as wheels."""
    tools = [name for name in ("meson", "ninja") if not shutil.which(name)]
    return tools + (["tomli"] if sys.version_info < (3, 11) else [])


def get_requires_for_build_wheel(config_settings=None):
    return missing_tools()


def get_requires_for_build_sdist(config_settings=None):
    return [name for name in missing_tools() if name == "tomli"]


def platform_tag():
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def words(settings, name):
    value = settings.get(name) or []
    return [value] if isinstance(value, str) else list(value)


def needed():
    """What is to be installed, for those whose build failed."""
    packages = re.search(r'^build="([^"]+)"', (ROOT / "tools" / "deps").read_text(), re.M)[1].split()
    # this build brings its own
    packages = [name for name in packages if name not in ("meson", "ninja-build", "esbuild")]
    return ("fireglass is built with a C compiler, pkg-config, the headers of Python and some libraries; "
            f"on Debian and Ubuntu:\n    apt install {' '.join(packages)}")


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    name = f"fireglass-{metadata.version()}.dist-info"
    tags = building.Tags(building.running_abi()[0])
    files = building.dist_info(f"{tags.python}-{tags.abi_tag}-{platform_tag()}", None, {})
    for inside, content in files.items():
        path = pathlib.Path(metadata_directory) / name / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    settings = config_settings or {}
    with tempfile.TemporaryDirectory() as scratch:
        build = pathlib.Path(settings.get("build-dir") or scratch + "/build").resolve()
        abi = building.running_abi()
        options = words(settings, "setup-args")
        env = {"LDFLAGS": os.environ.get("LDFLAGS") or " ".join(building.LINK_ARGS)}
        try:
            building.compile_all(build, [abi], options, env)
        except WheelError as error:
            sys.exit(f"{error}\n{needed()}")
        return building.write_wheel(wheel_directory, build, abi[0], platform_tag())


def build_sdist(sdist_directory, config_settings=None):
    return sdist.write(sdist_directory)
