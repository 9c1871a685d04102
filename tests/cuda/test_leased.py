"""Reconstructions on an endpoint, on leased pretend GPUs: the lease is seen alone, kept warm, and left when it fails."""
import os

from harness import main
from cuda_stage import CudaTest

DEVICES = 4
UUID = "GPU-00000000-0000-4000-8000-{:012x}"


class Leased(CudaTest):
    def up(self, **settings):
        self.ff.environment.update(self.machine(DEVICES, **settings))
        self.ff.run("gpu", "pretend", DEVICES, "--registry", self.ff.registry)
        self.ff.up("reconstruct", "fault")
        self.scan = os.path.join(self.ff.folder, "scan.cxi")
        self.ff.run("simulate", "--output", self.scan, "--set", "size=32", "--set", "patterns=36")

    def arguments(self, **more):
        return {"input": self.scan, "epochs": 3, "algorithm": "rpie", "orientation": "as-is",
                "output": os.path.join(self.ff.folder, "out.h5"), **more}

    def reconstruct(self, *words, **more):
        task = self.ff.call("reconstruct", self.arguments(**more), *words)
        self.assertEqual(task["state"], "success", task)
        return task

    def logs(self, task):
        return self.ff.run("task", "logs", task["task_id"]).out

    def test_the_lease_is_seen_alone(self):
        self.up()
        task = self.reconstruct("--gpus", "2")
        self.assertIn("cuda: 2 × Pretend GPU", task["result"]["device"])
        self.assertEqual(len(task["devices"]), 2)
        self.assertNotIn("CPU", self.logs(task))
        self.assertIn("cuda: Pretend GPU,", self.reconstruct("--gpus", "1")["result"]["device"])
        task = self.ff.call("reconstruct", self.arguments(devices="cuda:3"), "--gpus", "2")
        self.assertEqual((task["state"], task["error"]["code"], task["attempt"]), ("failed", "INVALID_SETTING", 1))
        self.assertIn("asks for 3 GPUs; the task has 2", task["error"]["message"])

    def test_a_task_without_gpus_says_that_it_computes_on_the_cpu(self):
        self.up()
        task = self.reconstruct()
        self.assertIn("cpu: ", task["result"]["device"])
        self.assertEqual(self.logs(task).count("computes on the CPU"), 1)
        task = self.ff.call("reconstruct", self.arguments(devices="cuda"))
        self.assertEqual((task["state"], task["error"]["code"], task["attempt"]), ("failed", "NO_DEVICE", 1))
        self.assertIn("--gpus", task["error"]["hint"])

    def test_the_next_call_on_a_lease_finds_what_the_last_one_left(self):
        self.up()
        first = self.reconstruct("--gpus", "1")
        runners = self.ff.busy_runners()
        self.assertEqual(len(runners), 1)
        second = self.reconstruct("--gpus", "1")
        self.assertEqual(self.ff.busy_runners(), runners)
        self.assertEqual((first["devices"], first["result"]["cost"]), (second["devices"], second["result"]["cost"]))

    def test_the_retry_goes_on_elsewhere(self):
        """Device 0 is lost after a while, in every process that has it."""
        self.up(lose="0:1000")
        task = self.reconstruct("--gpus", "1", epochs=60, checkpoint_every=1)
        self.assertEqual(task["attempt"], 2)
        self.assertNotIn(UUID.format(0), task["devices"])
        self.assertGreater(task["result"]["resumed_at"], 0)
        self.assertEqual(task["result"]["epochs"], 60)

    def test_no_other_device_fails_too(self):
        self.up(lose="0:1000")
        task = self.ff.call("reconstruct", self.arguments(epochs=60), "--gpus", str(DEVICES),
                            "--retries", "0")
        self.assertEqual((task["state"], task["error"]["code"]), ("failed", "NO_DEVICE"), task)
        self.assertIn("uncorrectable ECC error", task["error"]["message"])
        self.assertIn(UUID.format(0), task["error"]["message"] + task["error"]["hint"])

    def test_a_lease_whose_device_has_gone(self):
        """The registry knows of four devices, and CUDA of two."""
        self.up()
        self.ff.run("endpoint", "stop", "local")
        self.ff.environment["FF_STANDIN_DEVICES"] = "2"
        self.ff.start_endpoint()
        task = self.ff.call("reconstruct", self.arguments(), "--gpus", str(DEVICES), "--retries", "0")
        self.assertEqual((task["state"], task["error"]["code"]), ("failed", "NO_DEVICE"), task)
        self.assertIn("the task has 4 GPUs, and CUDA finds 2 of them", task["error"]["message"])


if __name__ == "__main__":
    main()
