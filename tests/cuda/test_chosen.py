"""farfield reconstruct on pretend GPUs: what `devices` takes, and what is said where it cannot."""
import os

from harness import TASK_FAILED, WRONG_USE, main
from cuda_stage import CudaTest

QUICK = ["--set", "epochs=2", "--set", "algorithm=rpie", "--set", "orientation=as-is"]


class Chosen(CudaTest):
    def setUp(self):
        super().setUp()
        self.scan = os.path.join(self.ff.folder, "scan.cxi")
        self.ff.run("simulate", "--output", self.scan, "--set", "size=32", "--set", "patterns=36")

    def reconstruct(self, environment, *settings, status=0):
        words = [word for setting in settings for word in ("--set", setting)]
        return self.ff.run("reconstruct", self.scan, *QUICK, *words, "--output", "out.h5", "--json",
                           environment=environment, status=status)

    def result(self, environment, *settings):
        """(the result, what was said beside it)"""
        outcome = self.reconstruct(environment, *settings)
        result = outcome.lines[-1]
        self.assertEqual(result["type"], "result")
        return result, outcome.err

    def test_auto_takes_all_gpus(self):
        for count in (1, 3):
            result, said = self.result(self.machine(count))
            self.assertRegex(result["device"], r"^cuda: " + ("3 × " if count > 1 else "") + r"Pretend GPU, cuFFT")
            self.assertGreater(result["device_bytes"], 0)
            self.assertNotIn("CPU", said)

    def test_gpus_and_the_cpu_agree(self):
        on_cpu, said = self.result(self.machine(2), "devices=cpu")
        self.assertRegex(on_cpu["device"], r"^cpu: ")
        self.assertEqual((on_cpu["device_bytes"], said), (0, ""))
        for devices in ("cuda:1", "cuda:2", "cuda"):
            on_gpu, _ = self.result(self.machine(3), f"devices={devices}", "threads=1")
            self.assertAlmostEqual(on_gpu["cost"], on_cpu["cost"], delta=1e-4 * on_cpu["cost"])

    def test_the_default_algorithm(self):
        costs = [self.result(self.machine(1), f"devices={devices}", "algorithm=lstsq", "epochs=1")[0]["cost"]
                 for devices in ("cpu", "cuda")]
        self.assertAlmostEqual(costs[0], costs[1], delta=1e-4 * costs[0])

    def test_as_many_as_are_asked_for(self):
        self.assertIn("cuda: 2 × Pretend GPU", self.result(self.machine(4), "devices=cuda:2")[0]["device"])
        outcome = self.reconstruct(self.machine(2), "devices=cuda:3", status=TASK_FAILED)
        self.assert_says(outcome, "3 GPUs are wanted", "there are 2 GPUs here", "Pretend GPU",
                         "GPU-00000000-0000-4000-8000-000000000001", "farfield doctor")
        self.assertEqual(outcome.lines[-1]["code"], "NO_DEVICE")

    def test_the_mask_is_kept_to(self):
        mask = {"CUDA_VISIBLE_DEVICES": "GPU-00000000-0000-4000-8000-000000000003"}
        self.assertIn("cuda: Pretend GPU,", self.result(self.machine(4) | mask)[0]["device"])
        outcome = self.reconstruct(self.machine(4) | mask, "devices=cuda:2", status=TASK_FAILED)
        self.assert_says(outcome, "there is 1 GPU here", "GPU-00000000-0000-4000-8000-000000000003")

    def test_the_plan_names_them(self):
        plan = self.ff.json("reconstruct", self.scan, *QUICK, "--plan", environment=self.machine(2))
        self.assertIn("cuda: 2 × Pretend GPU", plan["device"])
        self.assertGreater(plan["device_memory_bytes"], 0)
        plan = self.ff.json("reconstruct", self.scan, *QUICK, "--plan", environment=self.machine(driver=False))
        self.assertIn("cpu", plan["device"])
        self.assertNotIn("device_memory_bytes", plan)

    def test_the_cpu_where_nothing_can_be_mended_says_so_once(self):
        for environment in (self.machine(2, driver=False), self.machine(2) | {"CUDA_VISIBLE_DEVICES": ""}):
            result, said = self.result(environment)
            self.assertIn("cpu: ", result["device"])
            self.assertEqual(said.count("computes on the CPU"), 1)
            self.assertNotIn("note:", said)
        self.assertEqual(self.result(self.machine(driver=False), "devices=cpu")[1], "")

    def test_the_cpu_where_something_can_be_mended_is_noted(self):
        for environment, word in ((self.machine(2) | {"FF_STANDIN_DRIVER": "12020"}, "too old"),
                                  (self.machine(1, capability="7.0"), "compute capability 7.0"),
                                  (self.machine(2, fail="cudaGetDeviceCount:1=999"), "cudaErrorUnknown")):
            result, said = self.result(environment)
            self.assertIn("cpu: ", result["device"])
            self.assertRegex(said, r"(?m)^note: computes on the CPU: .*" + word)
            self.assertEqual(said.count("computes on the CPU"), 1)
        self.take_object_away()
        self.addCleanup(self.place_object)
        self.assertRegex(self.result(self.machine(2))[1], r"(?m)^note: computes on the CPU: .*no CUDA backend")

    def test_a_gpu_that_cannot_be_used_is_left_out(self):
        result, said = self.result(self.machine(3, capability="8.0,7.5,9.0"))
        self.assertIn("cuda: 2 × Pretend GPU", result["device"])
        self.assertRegex(said, r"note: computes on 2 of 3 GPUs: .*7\.5")
        self.assertIn("cuda: 2 × Pretend GPU",
                      self.result(self.machine(3, capability="8.0,7.5,9.0"), "devices=cuda:2")[0]["device"])

    def test_cuda_or_nothing(self):
        for environment, words in ((self.machine(2, driver=False), ["no NVIDIA driver"]),
                                   (self.machine(2) | {"FF_STANDIN_DRIVER": "12020"}, ["too old", "update the driver"]),
                                   (self.machine(2) | {"CUDA_VISIBLE_DEVICES": ""}, ["no GPU is visible", "--gpus"]),
                                   (self.machine(1, capability="7.0"), ["compute capability 7.0"])):
            for devices in ("cuda", "cuda:1"):
                outcome = self.reconstruct(environment, f"devices={devices}", status=TASK_FAILED)
                self.assert_says(outcome, "no GPU can be used", *words)
                self.assertFalse(os.path.exists(os.path.join(self.ff.folder, "out.h5")))

    def test_the_benchmark(self):
        self.ff.run("simulate", "--output", self.scan, "--set", "size=16", "--set", "patterns=4")
        words = ["bench", "reconstruct", self.scan, "--devices", "cuda:2", "--set", "algorithm=rpie", "--json"]
        figures = self.ff.json(*words[:-1], environment=self.machine(2))
        self.assertIn("cuda: 2 × Pretend GPU", figures["devices"])
        self.assertIn("cuFFT", figures["transform"])
        self.assertGreater(figures["fft_seconds_per_epoch"], 0)
        outcome = self.ff.run(*words, environment=self.machine(1), status=TASK_FAILED)
        self.assert_says(outcome, "2 GPUs are wanted")

    def test_wrong_settings(self):
        for devices in ("cuda:0", "gpu", "cuda:x"):
            self.assert_says(self.reconstruct(self.machine(2), f"devices={devices}", status=WRONG_USE), "cuda:N")

    def test_a_device_that_fails_is_named(self):
        for operations, epochs in ((20, False), (1000, True)):
            outcome = self.reconstruct(self.machine(1, lose=f"0:{operations}"), "epochs=200", status=TASK_FAILED)
            self.assert_says(outcome, "device 0", "uncorrectable ECC error", "GPU-00000000-0000-4000-8000-000000000000")
            self.assertEqual(outcome.lines[-1]["code"], "NO_DEVICE")
            self.assertEqual(len(outcome.lines) > 1, epochs)

    def test_another_kind_of_device_goes_on_from_the_checkpoint(self):
        self.reconstruct(self.machine(1, lose="0:1000"), "epochs=60", "checkpoint_every=1", status=TASK_FAILED)
        outcome = self.reconstruct(self.machine(1), "epochs=60", "devices=cpu")
        self.assertGreater(outcome.lines[-1]["resumed_at"], 0)
        self.assertEqual(outcome.lines[-1]["epochs"], 60)
        self.assert_says(outcome, "will agree to rounding")
        afresh = self.reconstruct(self.machine(1), "devices=cpu")
        self.assertEqual(outcome.lines[-1]["device"], afresh.lines[-1]["device"])

    def test_one_of_several_devices_fails(self):
        for operations in (30, 200, 1000):
            outcome = self.reconstruct(self.machine(3, lose=f"1:{operations}"), "epochs=200", status=TASK_FAILED)
            self.assert_says(outcome, "device 1: ", "uncorrectable ECC error",
                             "GPU-00000000-0000-4000-8000-000000000001")
            self.assertEqual(outcome.lines[-1]["code"], "NO_DEVICE")

    def test_memory_that_is_short(self):
        outcome = self.reconstruct(self.machine(1, memory=1 << 18), status=TASK_FAILED)
        self.assert_says(outcome, "device 0", "memory")
        self.assertEqual(outcome.lines[-1]["code"], "NO_MEMORY")

    def test_a_call_that_fails(self):
        outcome = self.reconstruct(self.machine(1, fail="launch:40"), status=TASK_FAILED)
        self.assert_says(outcome, "device 0", "cudaErrorUnknown")


if __name__ == "__main__":
    main()
