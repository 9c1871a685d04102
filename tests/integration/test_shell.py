"""Shell functions: a registered command template."""
import os

from harness import TASK_FAILED, FarfieldTest, alive, main, wait_for


class Shell(FarfieldTest):
    def setUp(self):
        super().setUp()
        self.ff.up()

    def register(self, name, command):
        return self.ff.json("function", "register", name, "--shell", command)["function_uuid"]

    def test_output_and_status_are_kept(self):
        self.register("both", "echo to out; echo to err >&2")
        task = self.ff.call("both")
        self.assertEqual(task["state"], "success", task)
        self.assertEqual(task["result"]["exit_status"], 0)
        self.assertEqual((task["result"]["stdout"], task["result"]["stderr"]), ("to out\n", "to err\n"))

    def test_a_failing_command_fails_the_task_and_keeps_its_output(self):
        self.register("bad", "echo before; echo the reason >&2; exit 7")
        said = self.ff.run("run", "bad", "--endpoint", "local", status=TASK_FAILED)
        self.assert_says(said, "7", "the reason")

    def test_the_reason_needs_no_newline(self):
        self.register("bad", "printf 'the reason' >&2; exit 7")
        self.assertIn("the reason", self.ff.call("bad")["error"]["message"])

    def test_a_child_that_writes_for_ever_does_not_hold_the_task(self):
        self.register("babble", "yes & echo started")
        task = self.ff.call("babble")
        self.assertEqual((task["state"], task["result"]["exit_status"]), ("success", 0), task)

    def test_a_command_that_closed_its_output_can_be_stopped(self):
        self.register("closed", "echo ready; exec >&- 2>&-; sleep 3600")
        task = self.ff.submit("closed")
        wait_for(lambda: "ready" in self.ff.run("task", "logs", task).out, "the command to be ready")
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"]["signal"]), ("failed", 15), ended)

    def test_a_command_beyond_the_limit_of_the_kernel_is_refused_in_words(self):
        self.register("greet", "echo {name}")
        status, reply = self.ff.rest("POST", f"/v3/endpoints/{self.endpoint_id()}/submit",
                                     {"tasks": {self.function_id("greet"): [{"name": "x" * 200000}]}})
        self.assertEqual(status, 200, reply)
        task = self.ff.wait_task(next(iter(reply["tasks"].values()))[0])
        self.assertEqual(task["state"], "failed", task)
        self.assertEqual(task["error"]["code"], "TOO_LARGE", task)

    def test_arguments_are_quoted_into_the_template(self):
        self.register("greet", "printf '%s' {name}")
        hostile = "a'b\"; $(touch pwned) `id` \\ * ~"
        task = self.ff.call("greet", {"name": hostile})
        self.assertEqual(task["state"], "success", task)
        self.assertEqual(task["result"]["stdout"], hostile)

    def test_a_missing_argument_is_named(self):
        self.register("greet", "echo {name}")
        task = self.ff.call("greet", {"nam": "x"})
        self.assertEqual(task["state"], "failed")
        self.assertIn("name", task["error"]["message"])

    def test_the_time_limit_kills_the_whole_tree(self):
        pid_file = os.path.join(self.ff.folder, "pids")
        self.register("tree", f"sleep 3600 & echo $! >> '{pid_file}'; setsid sleep 3600 & echo $! >> '{pid_file}'; wait")
        status, reply = self.ff.rest("POST", f"/v3/endpoints/{self.endpoint_id()}/submit",
                                     {"tasks": {self.function_id("tree"): [None]},
                                      "resource_specification": {"time_limit_s": 1}})
        self.assertEqual(status, 200, reply)
        task = self.ff.wait_task(next(iter(reply["tasks"].values()))[0])
        self.assertEqual((task["state"], task["error"]["code"]), ("failed", "TIME_LIMIT"), task)
        with open(pid_file, encoding="ascii") as file:
            pids = file.read().split()
        self.assertEqual(len(pids), 2)
        wait_for(lambda: not any(alive(pid) for pid in pids), "the tree to be killed")

    def endpoint_id(self):
        return next(entry["endpoint_id"] for entry in self.ff.rest("GET", "/v2/endpoints")[1]["endpoints"])

    def function_id(self, name):
        return self.ff.rest("GET", f"/v2/functions/{name}")[1]["function_uuid"]

    def test_long_output_is_kept_head_and_tail(self):
        self.register("long", "echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last")
        task = self.ff.call("long")
        self.assertEqual(task["state"], "success", task)
        self.assertTrue(task["result"]["stdout"].startswith("first\n"))
        self.assertTrue(task["result"]["stdout"].endswith("last\n"))
        self.assertLess(len(task["result"]["stdout"]), 600000)
        self.assertEqual(task["result"]["stdout_bytes"], 3000012)

    def test_the_log_outlives_the_task_and_the_service(self):
        self.register("speak", "echo first; echo last >&2")
        task = self.ff.call("speak")["task_id"]
        self.assertEqual(sorted(self.ff.run("task", "logs", task).out.split()), ["first", "last"])
        self.ff.run("service", "stop")
        self.ff.start_service()
        self.assertEqual(sorted(self.ff.run("task", "logs", task).out.split()), ["first", "last"])
        self.assertFalse(self.ff.json("task", "logs", task)["truncated"])

    def test_no_argument_is_run(self):
        self.register("greet", 'echo "hi {name}"')
        said = self.ff.call("greet", {"name": "it's $(echo run) `echo run`"})["result"]["stdout"]
        self.assertEqual(said, "hi it's $(echo run) `echo run`\n")

    def test_output_that_is_not_text(self):
        self.register("binary", "printf '\\377\\000\\376 end'")
        self.assertEqual(self.ff.call("binary")["state"], "success")

    def test_stop_passes_on_and_cancel_kills(self):
        self.register("wait", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
        task = self.ff.submit("wait")
        self.ff.wait_task(task, "running")
        wait_for(lambda: "ready" in self.ff.run("task", "logs", task).out, "the command to be ready")
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"]["stdout"]), ("success", "ready\nbye\n"), ended)


if __name__ == "__main__":
    main()
