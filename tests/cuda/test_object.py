"""The CUDA backend that is installed, on a machine that has no GPU for it."""
import os
import subprocess

from harness import STAGE, FarfieldTest, main
from cuda_stage import DRIVER, OBJECT


class Object(FarfieldTest):
    def test_it_exports_its_entry_and_nothing_else(self):
        listed = subprocess.run(["nm", "-D", "--defined-only", os.path.join(STAGE, OBJECT)], capture_output=True,
                                text=True, check=True).stdout
        self.assertEqual([line.split()[-1] for line in listed.splitlines()], ["farfield_cuda"])

    def test_it_can_be_loaded(self):
        """It is of this build and finds cuFFT; what comes next is the driver, which only looks like one."""
        found = self.ff.json("doctor", "--gpus", environment={"LD_LIBRARY_PATH": DRIVER}, status=1)
        self.assertIn("does not answer", found["why"])

    def test_a_reconstruction_goes_on_without(self):
        scan = os.path.join(self.ff.folder, "scan.cxi")
        self.ff.run("simulate", "--output", scan, "--set", "size=16", "--set", "patterns=4")
        outcome = self.ff.run("reconstruct", scan, "--set", "epochs=1", environment={"LD_LIBRARY_PATH": DRIVER})
        self.assert_says(outcome, "computes on the CPU", "does not answer")


if __name__ == "__main__":
    main()
