"""Input and output files that cannot be used: each is refused with file, what is wrong, and what to do."""
import os
import shutil
import subprocess

from harness import SIEMENS, TASK_FAILED, FarfieldTest, main, tool


class BadFiles(FarfieldTest):
    def path(self, name):
        return os.path.join(self.ff.folder, name)

    def refused(self, path, *words, output=None):
        """The refusal of a scan, by the command here and now."""
        said = self.ff.run("reconstruct", path, "--output", output or self.path("out.h5"), "--set", "epochs=1",
                           status=TASK_FAILED)
        self.assert_says(said, path if output is None else os.path.dirname(output), *words)
        self.assertFalse(os.path.exists(self.path("out.h5")))
        self.assertNotIn("HDF5-DIAG", said.err)
        return said

    def damaged(self, how):
        path = self.path("scan.cxi")
        shutil.copy(SIEMENS, path)
        tool("hdf5_tool", "damage", path, how)
        return path

    def test_missing(self):
        self.refused(self.path("nowhere.cxi"))

    def test_a_folder(self):
        self.refused(self.ff.folder, "folder")

    def test_text_called_cxi(self):
        with open(self.path("text.cxi"), "w", encoding="utf-8") as file:
            file.write("this is no scan\n" * 100)
        self.refused(self.path("text.cxi"), "hdf5")

    def test_empty(self):
        with open(self.path("empty.cxi"), "wb"):
            pass
        self.refused(self.path("empty.cxi"))

    def test_truncated(self):
        for size in (100, 5000, 2_000_000):
            with open(SIEMENS, "rb") as file, open(self.path("short.cxi"), "wb") as short:
                short.write(file.read(size))
            self.refused(self.path("short.cxi"))

    def test_not_readable(self):
        shutil.copy(SIEMENS, self.path("secret.cxi"))
        os.chmod(self.path("secret.cxi"), 0)
        if os.access(self.path("secret.cxi"), os.R_OK):
            self.skipTest("this user may read everything")
        self.refused(self.path("secret.cxi"), "permission")

    def test_positions_that_do_not_match_the_frames(self):
        self.refused(self.damaged("few-positions"), "513", "516", "translation")

    def test_a_position_that_is_no_number(self):
        self.refused(self.damaged("nan-position"), "17", "translation")

    def test_a_scan_that_leaves_the_object(self):
        self.refused(self.damaged("far-position"), "17")

    def test_negative_energy(self):
        self.refused(self.damaged("negative-energy"), "energy", "-")

    def test_absurd_energy(self):
        self.refused(self.damaged("absurd-energy"), "energy")

    def test_no_data(self):
        self.refused(self.damaged("no-data"), "data")

    def read_only_folder(self):
        """Where not even root may make a file, or where this user may not."""
        if os.geteuid() == 0:
            return "/sys/kernel"
        folder = self.path("read-only")
        os.mkdir(folder, 0o500)
        return folder

    def test_a_read_only_output_folder(self):
        self.refused(SIEMENS, output=os.path.join(self.read_only_folder(), "out.h5"))

    def test_an_output_folder_that_is_not_there(self):
        self.refused(SIEMENS, output=self.path("no/such/folder/out.h5"))

    def test_an_output_that_is_a_folder(self):
        self.refused(SIEMENS, output=self.ff.folder)

    def in_small_disk(self, *words):
        """Runs a command with a full disk of 256 KiB mounted at `small`, which nobody else sees."""
        os.makedirs(self.path("small"), exist_ok=True)
        script = 'mount -t tmpfs -o size=256k none "$0" && exec "$@"'
        for namespace in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
            probe = subprocess.run([*namespace, "sh", "-c", script, self.path("small"), "true"], capture_output=True,
                                   check=False)
            if probe.returncode == 0:
                return subprocess.run([*namespace, "sh", "-c", script, self.path("small"), *words], capture_output=True,
                                      text=True, check=False, env=self.ff.environment, timeout=300)
        return self.skipTest("neither mounts nor user namespaces are allowed here")

    def test_no_space_for_the_result(self):
        output = self.path("small/out.h5")
        script = '"$0" reconstruct "$1" --output "$2" --set epochs=1; status=$?; ls -A "$(dirname "$2")"; exit $status'
        done = self.in_small_disk("sh", "-c", script, os.path.join(os.environ["FF_STAGE"], "bin", "farfield"), SIEMENS,
                                  output)
        self.assertEqual(done.returncode, TASK_FAILED, done)
        self.assertIn("space", done.stderr.lower())
        self.assertNotIn("out", done.stdout, "something was left behind")


if __name__ == "__main__":
    main()
