"""The endpoint verbs, and what an endpoint refuses."""
import os

from harness import DONE, UNREACHABLE, WRONG_USE, FarfieldTest, main, wait_for


class Endpoint(FarfieldTest):
    def entry(self, name="local"):
        return next(entry for entry in self.ff.json("endpoint", "list")["endpoints"] if entry["name"] == name)

    def test_configure_start_status_list_logs_stop_delete(self):
        self.ff.up("echo")
        self.assertEqual(self.entry()["status"], "online")
        self.assertTrue(self.ff.json("endpoint", "status", "local")["connected"])
        self.ff.call("echo", 1)
        self.ff.run("endpoint", "logs", "local")
        self.ff.run("endpoint", "stop", "local")
        self.assertEqual(self.ff.pids("farfield-endpoint"), [])
        self.assertEqual(self.ff.pids("farfield-manager"), [])
        wait_for(lambda: self.entry()["status"] == "offline", "the service to see it go")
        self.ff.run("endpoint", "delete", "local")
        self.assertFalse(os.path.exists(os.path.join(self.ff.home, "endpoints", "local")))

    def test_a_second_start_is_refused_and_names_the_first(self):
        self.ff.up("echo")
        said = self.ff.run("endpoint", "start", "local", status=None)
        self.assertNotEqual(said.status, DONE, str(said))
        self.assert_says(said, self.ff.agent_pid())
        self.assert_alive()

    def test_restart_keeps_what_was_running(self):
        self.ff.up("fault", "echo")
        before = self.ff.agent_pid()
        self.ff.run("endpoint", "restart", "local", timeout=120)
        self.assertNotEqual(self.ff.agent_pid(), before)
        self.assert_alive()

    def test_start_without_a_service_says_so_and_leaves_nothing_running(self):
        self.ff.start_service()
        self.ff.configure()
        self.ff.run("service", "stop")
        said = self.ff.run("endpoint", "start", "local", status=UNREACHABLE)
        self.assert_says(said, "service")
        self.assertEqual(self.ff.processes(), {})

    def test_start_of_an_endpoint_that_is_not_configured(self):
        self.ff.start_service()
        self.ff.configure("beamline")
        said = self.ff.run("endpoint", "start", "beamlime", status=WRONG_USE)
        self.assert_says(said, "beamline")

    def test_stop_lets_running_tasks_finish(self):
        self.ff.up("fault")
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 0.5})
        self.ff.wait_task(task, "running")
        self.ff.run("endpoint", "stop", "local")
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"], ended["attempt"]), ("success", "slept", 1), ended)

    def test_a_task_waits_for_its_endpoint_and_says_why(self):
        self.ff.start_service()
        self.ff.register("echo")
        self.ff.configure()
        task = self.ff.submit("echo", "later")
        shown = self.ff.show(task)
        self.assertNotIn(shown["state"], ("success", "failed", "cancelled"))
        self.assertIn("local", shown["waiting_because"])
        self.assert_says(self.ff.run("endpoint", "status", "local"), "1 task without result")
        self.ff.start_endpoint()
        self.assertEqual(self.ff.wait_task(task)["result"], "later")

    def test_a_task_waits_for_a_slot_and_says_why(self):
        self.ff.up("fault")
        blocking = [self.ff.submit("fault", {"do": "sleep", "seconds": 3600}) for _ in range(self.slots)]
        for task in blocking:
            self.ff.wait_task(task, "running")
        waiting = self.ff.submit("fault", {"do": "succeed"})
        wait_for(lambda: self.ff.show(waiting)["waiting_because"], "a reason")
        for task in blocking:
            self.ff.run("task", "cancel", task)
        self.assertEqual(self.ff.wait_task(waiting)["state"], "success")

    def test_doctor(self):
        self.ff.up()
        well = self.ff.run("endpoint", "doctor", "local")
        self.assert_says(well, "service", "disk", "clock")
        self.ff.json("endpoint", "doctor", "local")
        self.ff.run("endpoint", "stop", "local")
        self.ff.run("service", "stop")
        ill = self.ff.run("endpoint", "doctor", "local", status=None)
        self.assertNotEqual(ill.status, DONE, str(ill))
        self.assert_says(ill, "service start")

    def test_a_removed_key_is_made_anew_at_the_next_start(self):
        self.ff.up("echo")
        self.ff.run("endpoint", "stop", "local")
        os.remove(os.path.join(self.ff.home, "endpoints", "local", "curve"))
        self.assertIn("curve", self.ff.run("endpoint", "doctor", "local", status=None).out)
        self.ff.run("endpoint", "start", "local")
        self.assertEqual(self.ff.call("echo", [1])["result"], [1])

    def test_two_endpoints_of_one_user(self):
        self.ff.up("echo")
        self.ff.configure("second")
        self.ff.start_endpoint("second")
        for name in ("local", "second"):
            task = self.ff.call("echo", name, endpoint=name)
            self.assertEqual((task["result"], task["endpoint"]), (name, name), task)


if __name__ == "__main__":
    main()
