"""The shipped programs beside the CUDA backend that is built over the stand-in, for tests of the command."""
import os
import shutil
import tempfile

import harness
from harness import BUILD, STAGE, FarfieldTest

OBJECT = os.path.join("lib", "farfield", "backends", "cuda.so")
PRETEND_OBJECT = os.path.join(BUILD, "tests", "cuda-object", "cuda.so")
OBJECT_WITHOUT_CUFFT = os.path.join(BUILD, "tests", "cuda-without-cufft", "cuda.so")
DRIVER = os.path.join(BUILD, "tests", "cuda-driver")


def copy(source, target):
    """Hard links where they can be had: a program finds the others from where it lies, and a symbolic link leads back."""
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def copy_tree(source, target):
    os.makedirs(target)
    for entry in os.scandir(source):
        if entry.is_dir(follow_symlinks=False):
            copy_tree(entry.path, os.path.join(target, entry.name))
        else:
            copy(entry.path, os.path.join(target, entry.name))


class CudaTest(FarfieldTest):
    """An installation of the test's own, whose CUDA backend runs on pretend devices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.mkdtemp(prefix="cuda stage ", dir=os.path.join(BUILD, "tests"))
        cls.prefix = os.path.join(cls.folder, "prefix")
        copy_tree(STAGE, cls.prefix)
        cls.place_object()
        cls.kept = harness.COMMAND, harness.FUNCTIONS
        harness.COMMAND = os.path.join(cls.prefix, "bin", "farfield")
        harness.FUNCTIONS = os.path.join(cls.prefix, "lib", "farfield", "functions")

    @classmethod
    def tearDownClass(cls):
        harness.COMMAND, harness.FUNCTIONS = cls.kept
        shutil.rmtree(cls.folder, ignore_errors=True)
        super().tearDownClass()

    @classmethod
    def object(cls):
        return os.path.join(cls.prefix, OBJECT)

    @classmethod
    def place_object(cls, source=PRETEND_OBJECT):
        """Puts the backend of the tests, or another file, in the place of the real one, which may not be there."""
        os.makedirs(os.path.dirname(cls.object()), exist_ok=True)
        cls.take_object_away()
        copy(source, cls.object())

    @classmethod
    def take_object_away(cls):
        if os.path.exists(cls.object()):
            os.unlink(cls.object())

    @staticmethod
    def machine(devices=None, driver=True, **settings):
        """The environment of a pretend machine; settings are those of the stand-in, in small letters."""
        environment = {f"FF_STANDIN_{name.upper()}": str(value) for name, value in settings.items()}
        if devices is not None:
            environment["FF_STANDIN_DEVICES"] = str(devices)
        if driver:
            environment["LD_LIBRARY_PATH"] = DRIVER
        return environment
