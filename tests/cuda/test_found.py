"""farfield doctor and gpu list: which GPUs are found, and why one is not used."""
import re

from harness import WRONG_USE, main
from cuda_stage import OBJECT_WITHOUT_CUFFT, CudaTest

UUID = "GPU-00000000-0000-4000-8000-{:012x}"
MENDABLE = 1


class Found(CudaTest):
    def doctor(self, environment, status=0):
        """What it says as JSON, after the words were seen to say the same."""
        words = self.ff.run("doctor", environment=environment, status=status).out
        found = self.ff.json("doctor", environment=environment, status=status)
        self.assertEqual(found["ok"], status == 0)
        self.assertEqual("warning" in words, status != 0)
        for device in found["cuda"]["devices"]:
            self.assertIn(device["uuid"], words)
            self.assertIn(device["name"], words)
            self.assertIn(device["why"], words)
        if found["cuda"]["why"] is not None and not found["cuda"]["devices"]:
            self.assertIn(found["cuda"]["why"], words)
        return found["cuda"]

    def test_devices_are_named(self):
        found = self.doctor(self.machine(3, memory=20 << 30))
        self.assertEqual((found["usable"], found["why"], found["hint"]), (3, None, None))
        self.assertEqual([device["uuid"] for device in found["devices"]], [UUID.format(i) for i in range(3)])
        self.assertEqual([device["name"] for device in found["devices"]], 3 * ["Pretend GPU"])
        self.assertEqual({(device["memory_bytes"], device["capability"], device["usable"], device["why"])
                          for device in found["devices"]}, {(20 << 30, "8.0", True, "")})
        self.assertRegex(found["driver"], r"^\d+\.\d$")
        self.assertEqual(found["driver"], found["runtime"])

    def test_no_driver(self):
        found = self.doctor(self.machine(2, driver=False))
        self.assertEqual((found["usable"], found["devices"]), (0, []))
        self.assertIn("no NVIDIA driver", found["why"])

    def test_a_driver_that_is_too_old(self):
        found = self.doctor(self.machine(2) | {"FF_STANDIN_DRIVER": "12020"}, status=MENDABLE)
        self.assertIn("too old: it is for CUDA 12.2", found["why"])
        self.assertIn("update the driver", found["hint"])

    def test_a_driver_that_does_not_answer(self):
        found = self.doctor(self.machine(2) | {"FF_STANDIN_DRIVER": "0"}, status=MENDABLE)
        self.assertIn("does not answer", found["why"])

    def test_no_device(self):
        found = self.doctor(self.machine(2) | {"CUDA_VISIBLE_DEVICES": "GPU-none"}, status=MENDABLE)
        self.assertIn("CUDA_VISIBLE_DEVICES is 'GPU-none'", found["why"])
        found = self.doctor(self.machine(2, fail="cudaGetDeviceCount:1=100"), status=MENDABLE)
        self.assertIn("finds no GPU", found["why"])

    def test_the_mask_is_kept_to(self):
        mask = ",".join([UUID.format(2), UUID.format(0)])
        found = self.doctor(self.machine(4) | {"CUDA_VISIBLE_DEVICES": mask})
        self.assertEqual([device["uuid"] for device in found["devices"]], [UUID.format(2), UUID.format(0)])

    def test_a_device_that_is_too_old(self):
        found = self.doctor(self.machine(2, capability="7.5,9.0"), status=MENDABLE)
        self.assertEqual((found["usable"], found["why"]), (1, None))
        self.assertEqual([device["usable"] for device in found["devices"]], [False, True])
        self.assertIn("7.5, and 8.0 is needed", found["devices"][0]["why"])
        found = self.doctor(self.machine(1, capability="7.0"), status=MENDABLE)
        self.assertEqual(found["usable"], 0)
        self.assertIn("Pretend GPU, cannot be used: it has compute capability 7.0", found["why"])

    def test_a_device_that_does_not_answer(self):
        found = self.doctor(self.machine(2, fail="cudaGetDeviceProperties:2=214"), status=MENDABLE)
        self.assertEqual(found["usable"], 1)
        self.assertIn("does not answer", found["devices"][1]["why"])

    def test_cuda_fails_otherwise(self):
        found = self.doctor(self.machine(2, fail="cudaGetDeviceCount:1=999"), status=MENDABLE)
        self.assertIn("cudaErrorUnknown", found["why"])

    def test_no_backend_in_the_installation(self):
        self.take_object_away()
        self.addCleanup(self.place_object)
        found = self.doctor(self.machine(2), status=MENDABLE)
        self.assertIn("this installation has no CUDA backend", found["why"])
        self.assertIn(self.object(), found["why"])
        self.assertIn("no NVIDIA driver", self.doctor(self.machine(2, driver=False))["why"])

    def test_a_backend_that_cannot_be_loaded(self):
        self.take_object_away()
        self.addCleanup(self.place_object)
        with open(self.object(), "wb") as file:
            file.write(b"no ELF")
        self.assertIn("cannot be loaded", self.doctor(self.machine(2), status=MENDABLE)["why"])

    def test_no_cufft(self):
        self.place_object(OBJECT_WITHOUT_CUFFT)
        self.addCleanup(self.place_object)
        found = self.doctor(self.machine(2), status=MENDABLE)
        self.assertIn("needs cuFFT: libcufft.so.99", found["why"])
        self.assertIn("CUDA module", found["hint"])

    def test_a_backend_of_another_build(self):
        with open(self.object(), "rb") as file:
            content = file.read()
        digest = self.abi(content)
        self.take_object_away()
        self.addCleanup(self.place_object)
        with open(self.object(), "wb") as file:
            file.write(content.replace(digest, digest[::-1]))
        found = self.doctor(self.machine(2), status=MENDABLE)
        self.assertIn("is of another build", found["why"])

    def test_gpu_list_says_so_too(self):
        listed = self.ff.json("gpu", "list", "--registry", self.ff.registry, environment=self.machine(2))
        self.assertEqual(listed["cuda"], self.doctor(self.machine(2)))
        words = self.ff.run("gpu", "list", "--registry", self.ff.registry, environment=self.machine(2)).out
        self.assertIn(UUID.format(1), words)
        words = self.ff.run("gpu", "list", "--registry", self.ff.registry, environment=self.machine(driver=False)).out
        self.assertIn("no NVIDIA driver", words)

    def test_wrong_use(self):
        self.assertIn("endpoint doctor", self.ff.run("doctor", "local", status=WRONG_USE).err)

    @staticmethod
    def abi(content):
        """The digest of the border, of which an object has one."""
        found = set(re.findall(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", content))
        if len(found) != 1:
            raise AssertionError(f"{len(found)} digests in the object")
        return found.pop()


if __name__ == "__main__":
    main()
