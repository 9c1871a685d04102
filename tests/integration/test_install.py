"""An installation runs from anywhere, without the source tree or the build."""
import os
import shutil
import subprocess
import unittest

import harness
from harness import BUILD, Farfield, main


class Install(unittest.TestCase):
    def test_an_installation_in_a_path_with_spaces(self):
        ff = Farfield()
        self.addCleanup(ff.remove)
        prefix = os.path.join(ff.folder, "first place")
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
        moved = os.path.join(ff.folder, "second place")
        shutil.move(prefix, moved)  # programs find each other from where they lie
        harness.COMMAND, kept = os.path.join(moved, "bin", "farfield"), harness.COMMAND
        harness.FUNCTIONS, kept_functions = os.path.join(moved, "lib", "farfield", "functions"), harness.FUNCTIONS
        try:
            self.assertIn("farfield", ff.run("version").out)
            ff.up("echo")
            self.assertEqual(ff.call("echo", [1, 2])["result"], [1, 2])
            for line in ff.processes().values():
                self.assertNotIn(BUILD, line)
            self.assertEqual(ff.stop(), {})
        finally:
            ff.stop()
            harness.COMMAND, harness.FUNCTIONS = kept, kept_functions
        for name in ("share/man/man1/farfield.1", "share/bash-completion/completions/farfield",
                     "include/farfield/function.h", "lib/systemd/user/farfield-service.service",
                     "lib/systemd/user/farfield-endpoint@.service"):
            self.assertTrue(os.path.exists(os.path.join(moved, name)), name)

    def test_the_example_of_the_function_header_builds_and_runs(self):
        ff = Farfield()
        self.addCleanup(ff.remove)
        prefix = os.path.join(ff.folder, "prefix")
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
        header = os.path.join(prefix, "include", "farfield", "function.h")
        with open(header, encoding="utf-8") as file:
            text = file.read().split("*/")[0]
        lines = [line.removeprefix(" *").removeprefix("     ") for line in text.splitlines()]
        begin = next(number for number, line in enumerate(lines) if line.startswith("#include"))
        end = next(number for number, line in enumerate(lines) if line.startswith("cc "))
        source = os.path.join(ff.folder, "repeat.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("\n".join(lines[begin:end]) + "\n")
        command = lines[end].replace("PREFIX/include/farfield", '"$0"')
        subprocess.run(["sh", "-c", command, os.path.dirname(header)], cwd=ff.folder, check=True)
        try:
            ff.up()
            ff.run("function", "register", "repeat", "--native", "repeat.so")
            self.assertEqual(ff.call("repeat", {"again": 1})["result"], {"again": 1})
            self.assertEqual(ff.stop(), {})
        finally:
            ff.stop()


if __name__ == "__main__":
    main()
