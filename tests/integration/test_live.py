"""What a user sees and does while a task runs: progress, previews, log lines, stop, cancel."""
import http.client
import os

from harness import CANCELLED, DONE, SIEMENS, TASK_FAILED, FarfieldTest, alive, main, wait_for


class Live(FarfieldTest):
    def long_reconstruction(self):
        """A reconstruction that would run for hours, once it has finished some epochs."""
        task = self.ff.submit("reconstruct", {"input": SIEMENS, "output": os.path.join(self.ff.folder, "long.h5"),
                                              "epochs": 900000, "preview_every": 1})
        self.ff.wait_task(task, "running")
        wait_for(lambda: self.ff.epochs(task) >= 2, "two epochs")
        return task

    def test_progress_and_preview_travel_while_it_runs_and_stop_keeps_the_result(self):
        self.ff.up("reconstruct")
        task = self.long_reconstruction()
        progress = self.ff.show(task)["progress"]
        self.assertGreater(progress["cost"], 0)
        self.assertGreater(progress["r"], 0)
        names = wait_for(lambda: self.ff.rest("GET", f"/v2/tasks/{task}")[1]["previews"], "a preview")
        connection = self.ff.connection()
        connection.request("GET", f"/v3/tasks/{task}/previews/{names[0]}",
                           headers=self.ff.bearer())
        reply = connection.getresponse()
        self.assertEqual(reply.status, http.client.OK)
        self.assertEqual(reply.read()[:8], b"\x89PNG\r\n\x1a\n")
        connection.close()
        saved = os.path.join(self.ff.folder, "now.png")
        self.assertEqual(self.ff.json("task", "preview", task, "--output", saved)["output"], saved)
        with open(saved, "rb") as file:
            self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")
        self.assertIn("phase.png", self.ff.run("task", "preview", task, "phase.pgn", status=2).err)
        self.assertEqual(self.ff.show(task)["state"], "running")
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"]["stopped"]), ("success", "asked"))
        self.assertGreaterEqual(ended["result"]["epochs"], 2)
        self.assertTrue(os.path.exists(ended["result"]["output"]))

    def test_watch_prints_json_lines_of_epochs_and_last_the_result(self):
        self.ff.up("reconstruct")
        task = self.ff.submit("reconstruct", {"input": SIEMENS, "output": os.path.join(self.ff.folder, "o.h5"),
                                              "epochs": 8})
        lines = self.ff.run("task", "watch", task, "--json").lines
        self.assertEqual(lines[-1]["type"], "result")
        self.assertEqual(lines[-1]["epochs"], 8)
        self.assertEqual(lines[-1]["stopped"], "done")
        epochs = [line["epoch"] for line in lines if line["type"] == "epoch"]
        self.assertEqual(epochs, sorted(set(epochs)))
        self.assertTrue(all(line["epochs"] == 8 for line in lines if line["type"] == "epoch"))

    def test_cancel_ends_a_running_task_and_everything_that_it_started(self):
        self.ff.up("fault")
        pid_file = os.path.join(self.ff.folder, "orphan")
        task = self.ff.submit("fault", {"do": "orphan", "pid_file": pid_file, "seconds": 3600})
        watcher = self.ff.start("task", "watch", task)
        wait_for(lambda: os.path.exists(pid_file) and os.path.getsize(pid_file) > 1, "the detached grandchild")
        with open(pid_file, encoding="ascii") as file:
            orphan = int(file.read())
        self.ff.run("task", "cancel", task)
        ended = self.ff.wait_task(task)
        self.assertEqual(ended["state"], "cancelled")
        self.assertEqual(ended["error"]["code"], "TASK_CANCELLED")
        wait_for(lambda: not alive(orphan), "the grandchild to be killed")
        watcher.communicate(timeout=60)
        self.assertEqual(watcher.returncode, CANCELLED)
        self.ff.run("task", "result", task, status=CANCELLED)

    def test_cancel_of_a_deaf_function(self):
        self.ff.up("fault", "echo")
        task = self.ff.submit("fault", {"do": "hang"})
        self.ff.wait_task(task, "running")
        self.ff.run("task", "cancel", task)
        self.assertEqual(self.ff.wait_task(task)["state"], "cancelled")
        self.assert_alive()

    def test_cancel_of_a_waiting_task(self):
        self.ff.up("fault")
        blocking = [self.ff.submit("fault", {"do": "sleep", "seconds": 3600}) for _ in range(self.slots)]
        for task in blocking:
            self.ff.wait_task(task, "running")
        waiting = self.ff.submit("fault", {"do": "succeed"})
        self.ff.run("task", "cancel", waiting)
        self.assertEqual(self.ff.wait_task(waiting)["state"], "cancelled")
        for task in blocking:
            self.ff.run("task", "stop", task)
            self.assertEqual(self.ff.wait_task(task)["result"], "stopped")

    def test_cancel_of_an_ended_task_changes_nothing(self):
        self.ff.up("echo")
        task = self.ff.call("echo", 1)["task_id"]
        self.ff.run("task", "cancel", task, status=None)
        self.assertEqual(self.ff.show(task)["state"], "success")

    def test_log_lines_are_kept_with_the_task(self):
        self.ff.up()
        self.ff.run("function", "register", "talk", "--shell",
                    "for i in 1 2 3; do echo line $i; done; echo bad >&2; exit 4")
        task = self.ff.call("talk")
        self.assertEqual(task["state"], "failed")
        self.assertEqual(task["error"]["code"], "TASK_FAILED")
        self.assertIn("4", task["error"]["message"])
        logs = self.ff.run("task", "logs", task["task_id"]).out
        for text in ("line 1", "line 3", "bad"):
            self.assertIn(text, logs)

    def test_a_flood_of_messages_harms_nobody(self):
        self.ff.up("fault", "echo")
        task = self.ff.call("fault", {"do": "flood", "count": 20000})
        self.assertEqual((task["state"], task["result"]), ("success", "flooded"))
        self.assert_alive()

    def test_a_waiting_run_ends_with_the_status_of_the_task(self):
        self.ff.up("fault")
        self.ff.run("run", "fault", "--endpoint", "local", "--args", '{"do": "succeed"}', status=DONE)
        said = self.ff.run("run", "fault", "--endpoint", "local", "--args", '{"do": "fail", "message": "of course"}',
                           status=TASK_FAILED)
        self.assert_says(said, "of course")

    def test_misbehaving_functions_fail_their_own_task_only(self):
        self.ff.up("fault", "echo")
        for arguments, code in (({"do": "return-nothing"}, None), ({"do": "return-garbage"}, None),
                                ({"do": "return-much"}, "RESULT_TOO_LARGE"), ({"do": "nonsense"}, "INVALID_ARGUMENT")):
            task = self.ff.call("fault", arguments)
            self.assertEqual(task["state"], "failed", task)
            if code:
                self.assertEqual(task["error"]["code"], code, task)
        self.assert_alive()

    def test_a_function_that_always_crashes_fails_after_its_retries(self):
        self.ff.up("fault", "echo")
        for arguments in ({"do": "signal", "signal": 11}, {"do": "exit", "status": 3}):
            task = self.ff.call("fault", arguments)
            self.assertEqual((task["state"], task["attempt"]), ("failed", 3), task)
            self.assertEqual(task["error"]["code"], "RUNNER_LOST", task)
        self.assert_alive()

    def test_a_task_that_crashes_once_succeeds_in_its_second_attempt(self):
        self.ff.up("fault")
        task = self.ff.call("fault", {"do": "fail-until", "attempts": 2})
        self.assertEqual((task["state"], task["result"], task["attempt"]), ("success", 2, 2), task)


if __name__ == "__main__":
    main()
