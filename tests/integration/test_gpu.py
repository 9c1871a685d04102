"""Leases of GPUs, with pretend devices in a registry of the test's own."""
from harness import FarfieldTest, main, wait_for

DEVICES = 4


class Gpu(FarfieldTest):
    slots = 4

    def setUp(self):
        super().setUp()
        self.ff.run("gpu", "pretend", DEVICES, "--registry", self.ff.registry)
        self.ff.up("fault", "echo")

    def devices(self):
        """{UUID: whether leased}"""
        listed = self.ff.json("gpu", "list", "--registry", self.ff.registry)
        return {device["uuid"]: not device["free"] for device in listed["devices"]}

    def test_a_call_sees_the_devices_of_its_lease_and_no_others(self):
        known = self.devices()
        self.assertEqual(len(known), DEVICES)
        task = self.ff.call("fault", {"do": "environment", "name": "CUDA_VISIBLE_DEVICES"}, "--gpus", "2")
        self.assertEqual(task["state"], "success", task)
        seen = task["result"].split(",")
        self.assertEqual(len(set(seen)), 2)
        self.assertLessEqual(set(seen), set(known))
        self.assertEqual(set(task["devices"]), set(seen))

    def test_a_call_without_devices_sees_none(self):
        task = self.ff.call("fault", {"do": "environment", "name": "CUDA_VISIBLE_DEVICES"})
        self.assertIn(task["result"], ("", None))

    def test_two_running_calls_share_no_device_and_a_third_waits(self):
        tasks = [self.ff.submit("fault", {"do": "sleep", "seconds": 3600}, "--gpus", "2") for _ in range(2)]
        for task in tasks:
            self.ff.wait_task(task, "running")
        leases = [set(self.ff.show(task)["devices"]) for task in tasks]
        self.assertEqual([len(lease) for lease in leases], [2, 2])
        self.assertFalse(leases[0] & leases[1])
        self.assertEqual(self.devices(), {device: True for device in leases[0] | leases[1]})
        third = self.ff.submit("fault", {"do": "succeed"}, "--gpus", "3")
        wait_for(lambda: self.ff.show(third)["waiting_because"], "a reason for waiting")
        for task in tasks:
            self.ff.run("task", "cancel", task)
        self.assertEqual(self.ff.wait_task(third)["state"], "success")

    def test_the_devices_of_a_killed_runner_are_not_lost(self):
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 2}, "--gpus", str(DEVICES))
        self.ff.wait_task(task, "running")
        for pid in self.ff.busy_runners():
            self.ff.kill(pid)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["attempt"]), ("success", 2), ended)
        self.ff.run("endpoint", "stop", "local")
        self.assertEqual(set(self.devices().values()), {False})

    def test_more_devices_than_the_node_has(self):
        task = self.ff.submit("fault", {"do": "succeed"}, "--gpus", str(DEVICES + 1))

        def word():
            shown = self.ff.show(task)
            return shown["waiting_because"] or (shown["error"] or {}).get("message")

        self.assertRegex(wait_for(word, "a word about it"), "GPU|device")
        self.ff.run("task", "cancel", task, status=None)
        self.assert_alive()


if __name__ == "__main__":
    main()
