"""Where the bench keeps what it makes, and its Python environment with the pinned packages. Standard library only."""
import hashlib
import os
import shutil
import subprocess
import sys
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("FF_BUILD", os.path.join(SOURCE, "build"))
SIEMENS = os.path.join(SOURCE, "tests", "data", "siemens-star.cxi")
REQUIREMENTS = os.path.join(HERE, "requirements.txt")


class Refused(Exception):
    """What cannot be done, in words for the user."""


def work_folder(wanted):
    """Makes and returns the folder for environment, data and results; refuses one in the source tree."""
    folder = os.path.realpath(wanted or os.path.join(BUILD, "bench"))
    build = os.path.realpath(BUILD)
    inside = os.path.commonpath([folder, os.path.realpath(SOURCE)]) == os.path.realpath(SOURCE)
    if inside and os.path.commonpath([folder, build]) != build:
        raise Refused(f"{folder} lies in the source tree; choose a folder outside of it, or below {build}")
    os.makedirs(folder, exist_ok=True)
    return folder


def farfield_command(wanted):
    """The command to measure: the one given, else the build's, else that of PATH."""
    built = os.path.join(os.environ.get("FF_STAGE", os.path.join(BUILD, "stage")), "bin", "farfield")
    found = wanted or (built if os.path.exists(built) else shutil.which("farfield"))
    if found is None or not os.access(found, os.X_OK):
        raise Refused(f"there is no program {found or built}; build it (cmake --build build), or name it by --farfield")
    return os.path.abspath(found)


def python_with_packages(folder):
    """The interpreter of the environment below `folder`, which is made, or made anew when the pins have changed."""
    place = os.path.join(folder, "venv")
    python, stamp = os.path.join(place, "bin", "python"), os.path.join(place, "installed")
    with open(REQUIREMENTS, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if os.path.exists(stamp):
        with open(stamp, encoding="ascii") as file:
            if file.read() == digest:
                return python
    print(f"installing the pinned packages from PyPI into {place} (some 5 GB, once)", file=sys.stderr, flush=True)
    venv.create(place, clear=True, with_pip=True)
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
                           "--only-binary", ":all:", "--requirement", REQUIREMENTS],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"the packages could not be installed into {place}:\n{done.stderr.strip()}")
    with open(stamp, "w", encoding="ascii") as file:
        file.write(digest)
    return python
