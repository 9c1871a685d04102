"""The service: start, stop, restart, and what it refuses."""
import os

from harness import DONE, TASK_FAILED, UNREACHABLE, Farfield, FarfieldTest, main, wait_for


class Service(FarfieldTest):
    def test_start_status_logs_stop(self):
        self.ff.start_service()
        status = self.ff.json("service", "status")
        self.assertEqual(status["pid"], self.ff.service_pid())
        self.assertEqual((status["https_port"], status["router_port"]), self.ff.ports())
        self.ff.run("service", "logs")
        self.ff.run("service", "stop")
        self.assertEqual(self.ff.processes(), {})
        self.assertNotEqual(self.ff.run("service", "status", status=None).status, DONE)

    def test_commands_without_a_service_say_so(self):
        said = self.ff.run("function", "list", status=None)
        self.assertNotEqual(said.status, DONE)
        self.assert_says(said, "service")
        self.ff.start_service()
        self.ff.run("service", "stop")
        self.assert_says(self.ff.run("function", "list", status=UNREACHABLE), "service start")

    def test_the_ports_stay_the_same(self):
        self.ff.start_service()
        ports = self.ff.ports()
        self.ff.run("service", "stop")
        self.ff.start_service()
        self.assertEqual(self.ff.ports(), ports)

    def test_a_second_service_on_the_same_home_names_the_first(self):
        self.ff.start_service()
        first = self.ff.service_pid()
        self.assert_says(self.ff.run("service", "start"), first)
        said = self.ff.run("service", "start", "--foreground", status=TASK_FAILED)
        self.assert_says(said, first)
        self.assertEqual(self.ff.json("service", "status")["pid"], first)

    def test_a_second_service_on_the_same_port(self):
        self.ff.start_service()
        other = Farfield()
        self.addCleanup(other.remove)
        self.addCleanup(other.stop)
        for key, port in zip(("https_port", "router_port"), self.ff.ports()):
            os.makedirs(os.path.join(other.home, "service"), mode=0o700, exist_ok=True)
            with open(os.path.join(other.home, "service", "config.yaml"), "w", encoding="utf-8") as file:
                file.write(f"{key}: {port}\n")
            said = other.run("service", "start", status=None)
            self.assertNotEqual(said.status, DONE, str(said))
            self.assert_says(said, port, "port")
            self.assertEqual(other.processes(), {})
            self.ff.json("service", "status")

    def test_an_endpoint_survives_the_restart_of_the_service(self):
        self.ff.up("fault", "echo")
        agent = self.ff.agent_pid()
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 1})
        self.ff.wait_task(task, "running")
        self.ff.run("service", "stop")
        self.ff.start_service()
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"], ended["attempt"]), ("success", "slept", 1), ended)
        self.assertEqual(self.ff.agent_pid(), agent)
        self.assert_alive()

    def test_what_was_accepted_and_what_has_ended_outlives_the_service(self):
        self.ff.start_service()
        self.ff.register("echo")
        self.ff.configure()
        waiting = self.ff.submit("echo", {"n": 1})
        self.ff.run("service", "stop")
        self.ff.start_service()
        self.assertNotIn(self.ff.show(waiting)["state"], ("success", "failed", "cancelled"))
        self.ff.start_endpoint()
        self.assertEqual(self.ff.wait_task(waiting)["result"], {"n": 1})
        self.ff.run("service", "stop")
        self.ff.start_service()
        self.assertEqual(self.ff.show(waiting)["result"], {"n": 1})

    def test_a_repeated_submission_makes_no_second_task(self):
        self.ff.up("echo")
        function = self.ff.rest("GET", "/v2/functions/echo")[1]["function_uuid"]
        body = {"tasks": {function: [1, 2, 3]}, "idempotency_key": "once"}
        first = self.ff.rest("POST", "/v3/endpoints/local/submit", body)
        again = self.ff.rest("POST", "/v3/endpoints/local/submit", body)
        self.assertEqual(first[0], 200, first)
        self.assertEqual(again[1]["tasks"], first[1]["tasks"])
        other = {"tasks": {function: [1, 2, 4]}, "idempotency_key": "once"}
        status, reply = self.ff.rest("POST", "/v3/endpoints/local/submit", other)
        self.assertEqual((status, reply["code"]), (409, "CONFLICT"))
        ids = first[1]["tasks"][function]
        self.assertEqual([self.ff.wait_task(task)["result"] for task in ids], [1, 2, 3])
        self.assertEqual(len(self.ff.rest("GET", "/v2/tasks?limit=100")[1]["tasks"]), 3)

    def test_many_tasks_of_one_submission_and_their_results_in_order_of_ending(self):
        self.ff.up("echo")
        function = self.ff.rest("GET", "/v2/functions/echo")[1]["function_uuid"]
        status, reply = self.ff.rest("POST", "/v3/endpoints/local/submit", {"tasks": {function: list(range(2000))}})
        self.assertEqual(status, 200, reply)
        wanted = dict(zip(reply["tasks"][function], range(2000)))
        found, after = {}, 0

        def gather():
            nonlocal after
            path = f"/v3/taskgroups/{reply['task_group_id']}/results?after={after}&limit=500&wait_ms=1000"
            page = self.ff.rest("GET", path)[1]
            for entry in page["results"]:
                self.assertNotIn(entry["task_id"], found, "answered twice")
                found[entry["task_id"]] = entry["result"]
                after = entry["seq"]
            return len(found) == len(wanted)

        wait_for(gather, "2000 results")
        self.assertEqual(found, wanted)


if __name__ == "__main__":
    main()
