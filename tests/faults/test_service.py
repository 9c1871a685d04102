"""kill -9 of the service: every accepted task ends exactly once."""
from harness import FarfieldTest, main, wait_for

BATCH = 300


class Service(FarfieldTest):
    def tasks(self, ids):
        """{id: task} of these tasks."""
        found = {}
        for start in range(0, len(ids), 500):
            found.update(self.ff.rest("POST", "/v2/batch_status", {"task_ids": ids[start:start + 500]})[1]["results"])
        return found

    def assert_all_succeed(self, expected):
        """Waits until every task has ended, and compares with {id: result}."""
        ids = list(expected)
        try:
            wait_for(lambda: all(task["state"] == "success" for task in self.tasks(ids).values()), "every task to succeed")
        except AssertionError as error:
            open_tasks = [task for task in self.tasks(ids).values() if task["state"] != "success"]
            raise AssertionError(f"{error}: {len(open_tasks)} of {len(ids)} have not, first {open_tasks[:3]}") from None
        self.assertEqual({task: entry["result"] for task, entry in self.tasks(ids).items()}, expected)

    def runs(self):
        with open(self.ledger(), encoding="ascii") as file:
            return file.read().split()

    def ledger(self):
        return self.ff.folder + "/runs"

    def test_every_accepted_task_ends_exactly_once(self):
        self.ff.up("echo")
        function = self.ff.rest("GET", "/v2/functions/echo")[1]["function_uuid"]
        expected = {}
        for kill in range(3):
            for part in range(4):
                values = [f"{kill}.{part}.{n}" for n in range(BATCH)]
                status, reply = self.ff.rest("POST", "/v3/endpoints/local/submit", {"tasks": {function: values}})
                self.assertEqual(status, 200, reply)
                expected.update(zip(reply["tasks"][function], values))
            self.ff.kill(self.ff.service_pid())
            self.ff.start_service()
        self.assertEqual(len(expected), 12 * BATCH)
        self.assert_all_succeed(expected)

    def test_a_running_task_is_not_run_twice(self):
        self.ff.up()
        self.ff.run("function", "register", "count", "--shell", f"echo run >> '{self.ledger()}'; sleep 1; echo done")
        tasks = [self.ff.submit("count") for _ in range(self.slots)]
        for task in tasks:
            self.ff.wait_task(task, "running")
        self.ff.kill(self.ff.service_pid())
        self.ff.start_service()
        for task in tasks:
            ended = self.ff.wait_task(task)
            self.assertEqual((ended["state"], ended["attempt"]), ("success", 1), ended)
        self.assertEqual(len(self.runs()), len(tasks))

    def test_an_answer_that_was_lost_is_asked_again_with_the_same_key(self):
        self.ff.up("echo")
        function = self.ff.rest("GET", "/v2/functions/echo")[1]["function_uuid"]
        body = {"tasks": {function: [1]}, "idempotency_key": "again"}
        first = self.ff.rest("POST", "/v3/endpoints/local/submit", body)[1]["tasks"][function]
        self.ff.kill(self.ff.service_pid())
        self.ff.start_service()
        self.assertEqual(self.ff.rest("POST", "/v3/endpoints/local/submit", body)[1]["tasks"][function], first)
        self.assertEqual(self.ff.wait_task(first[0])["result"], 1)

    def test_service_and_agent_at_once(self):
        self.ff.up("fault", "echo")
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 3600})
        self.ff.wait_task(task, "running")
        for pid in (self.ff.service_pid(), self.ff.agent_pid()):
            self.ff.kill(pid)
        self.ff.start_service()
        self.ff.start_endpoint()
        self.ff.wait_task(task, "running")  # announced again
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"], ended["attempt"]), ("success", "stopped", 1), ended)
        self.assert_alive()

    def test_a_cancelled_task_stays_cancelled(self):
        self.ff.up("fault")
        task = self.ff.submit("fault", {"do": "hang"})
        self.ff.wait_task(task, "running")
        self.ff.run("task", "cancel", task)
        self.ff.kill(self.ff.service_pid())
        self.ff.start_service()
        self.assertEqual(self.ff.wait_task(task)["state"], "cancelled")


if __name__ == "__main__":
    main()
