"""Which task goes where and when: GPUs that others hold, the large beside the small, who comes first."""
import os
import signal
import time

from harness import DEADLINE, SIEMENS, WRONG_USE, FarfieldTest, main, tool, wait_for

FOR_EVER = {"do": "sleep", "seconds": 3600}


class Dispatch(FarfieldTest):
    slots = 4

    def setUp(self):
        super().setUp()
        self.ff.run("gpu", "pretend", 2, "--registry", self.ff.registry)
        self.ff.up("fault", "echo")

    def hold(self, *words, endpoint="local"):
        """A task that runs until it is cancelled."""
        task = self.ff.submit("fault", FOR_EVER, *words, endpoint=endpoint)
        self.ff.wait_task(task, "running")
        return task

    def cancel(self, *tasks):
        for task in tasks:
            self.ff.run("task", "cancel", task)
            self.ff.wait_task(task)

    def why(self, task, word):
        """What a waiting task says, once it says this."""
        return wait_for(lambda: word in (self.ff.show(task)["waiting_because"] or "") and
                        self.ff.show(task)["waiting_because"], f"{task} to say {word}")

    def test_gpus_that_another_endpoint_holds_are_waited_for(self):
        self.ff.configure("other")
        self.ff.start_endpoint("other")
        held = self.hold("--gpus", "2", endpoint="other")
        task = self.ff.submit("echo", {"n": 1}, "--gpus", "1")
        self.why(task, "GPU")
        self.assertEqual(self.ff.call("echo", {"n": 2})["result"], {"n": 2})  # needs none
        self.assertNotEqual(self.ff.show(task)["state"], "running")
        self.cancel(held)
        self.assertEqual(self.ff.wait_task(task)["result"], {"n": 1})

    def test_the_large_are_not_starved_and_the_small_not_blocked(self):
        first = self.hold("--gpus", "1")
        large = self.ff.submit("fault", FOR_EVER, "--gpus", "2")
        self.why(large, "GPU")
        small = self.ff.submit("fault", FOR_EVER, "--gpus", "1")  # a GPU is free, but the large one comes first
        self.why(small, "kept for an older task")
        self.assertEqual(self.ff.call("echo", {"n": 3})["result"], {"n": 3})  # takes nothing that it needs
        self.cancel(first)
        self.ff.wait_task(large, "running")
        self.assertNotEqual(self.ff.show(small)["state"], "running")
        self.cancel(large)
        self.ff.wait_task(small, "running")
        self.cancel(small)

    def test_what_ends_before_runs_on_the_promised_node(self):
        first = self.hold("--gpus", "1", "--time-limit", "1h")
        large = self.ff.submit("echo", {}, "--gpus", "2")
        self.why(large, "GPU")
        longer = self.ff.submit("fault", FOR_EVER, "--gpus", "1", "--time-limit", "2h")
        self.why(longer, "kept for an older task")
        shorter = self.hold("--gpus", "1", "--time-limit", "30m")
        self.cancel(shorter, longer, first)
        self.assertEqual(self.ff.wait_task(large)["state"], "success")

    def test_live_comes_before_normal_before_batch(self):
        held = [self.hold() for _ in range(self.slots)]
        order = [self.ff.submit("fault", FOR_EVER, "--priority", word) for word in ("batch", "normal", "batch")]
        first = self.ff.submit("fault", FOR_EVER, "--priority", "live")
        for task, before in zip([*order, first], ("behind 2 tasks: ", "behind 1 task: ", "behind 3 tasks: ", "")):
            self.assertIn(before + "all 4 slots", self.why(task, before + "all "))
        self.assertEqual([self.ff.show(task)["priority"] for task in [*order, first]],
                         ["batch", "normal", "batch", "live"])
        for expected, others in ((first, order), (order[1], [order[0], order[2]]), (order[0], [order[2]])):
            self.cancel(held.pop(0))
            self.ff.wait_task(expected, "running")
            self.assertNotIn("running", [self.ff.show(task)["state"] for task in others])
            if len(others) > 1:
                self.why(others[-1], f"behind {len(others) - 1} task")
            held.append(expected)
        self.cancel(*held, order[2])
        done = self.ff.call("echo", {}, "--priority", "batch")
        self.assertEqual((done["state"], done["priority"]), ("success", "batch"))
        refused = self.ff.run("run", "echo", "--endpoint", "local", "--priority", "urgent", status=WRONG_USE)
        self.assert_says(refused, "live, normal or batch")

    def test_a_waiting_task_says_how_many_come_before_it(self):
        held = [self.hold() for _ in range(self.slots)]
        batch = self.ff.submit("fault", FOR_EVER, "--priority", "batch")
        normal = self.ff.submit("fault", FOR_EVER)
        self.why(batch, "behind 1 task: ")
        live = self.ff.submit("fault", FOR_EVER, "--priority", "live")
        self.why(batch, "behind 2 tasks: ")
        self.why(normal, "behind 1 task: ")
        self.cancel(live, normal)
        wait_for(lambda: "behind" not in self.ff.show(batch)["waiting_because"], "the batch task to be the next")
        self.cancel(batch, *held)

    def test_batch_steps_aside_for_live_and_is_not_charged(self):
        small = self.hold("--gpus", "1", "--priority", "batch", "--retries", "0")
        large = self.hold("--gpus", "1", "--priority", "batch", "--retries", "0")
        normal = self.ff.submit("echo", {}, "--gpus", "1", "--retries", "0")
        self.why(normal, "GPU")  # it waits: only live may ask
        live = self.ff.submit("fault", FOR_EVER, "--gpus", "1", "--priority", "live")
        self.ff.wait_task(live, "running")
        states = sorted((self.ff.show(task)["attempt"], task) for task in (small, large))
        self.assertEqual([number for number, _ in states], [1, 2])  # one of them, and only one
        aside = states[1][1]
        self.cancel(live)
        self.assertEqual(self.ff.wait_task(normal)["state"], "success")
        self.ff.wait_task(aside, "running")  # and goes on, for all its retries were none
        self.cancel(small, large)

    def test_what_cannot_checkpoint_is_left_alone(self):
        self.ff.run("function", "register", "wait", "--shell", "sleep 3600")
        deaf = self.ff.submit("wait", {}, "--gpus", "2", "--priority", "batch")
        self.ff.wait_task(deaf, "running")
        live = self.ff.submit("echo", {}, "--gpus", "1", "--priority", "live")
        self.why(live, "GPU")
        self.assertEqual(self.ff.show(deaf)["state"], "running")
        self.cancel(deaf)
        self.assertEqual(self.ff.wait_task(live)["state"], "success")

    def test_what_can_never_run_fails_at_once_in_words(self):
        for words, said in ((("--gpus", "3"), "asks for 3 GPUs; no node of endpoint local has more than 2"),
                            (("--cores", "4000"), "asks for 4000 cores; no node of endpoint local has more than")):
            task = self.ff.call("echo", {}, *words)
            self.assertEqual(task["state"], "failed", task)
            self.assertIn(said, task["error"]["message"])
        refused = self.ff.run("run", "echo", "--endpoint", "local", "--nodes", "2", status=WRONG_USE)
        self.assert_says(refused, "only shell functions run on several")
        self.ff.run("function", "register", "where", "--shell", "printf ${{FARFIELD_NODELIST-alone}}")
        task = self.ff.call("where", {}, "--nodes", "2")
        self.assertEqual(task["state"], "failed", task)
        self.assertIn("asks for 2 nodes; endpoint local has 1 of one block at most", task["error"]["message"])
        self.assertEqual(self.ff.call("where", {}, "--nodes", "1")["result"]["stdout"], "alone")


class EndOfBlock(FarfieldTest):
    """The scheduler ends the block of the local provider, which starts another one then."""

    slots = 1

    def path(self, name):
        return os.path.join(self.ff.folder, name)

    def reconstruct(self, name):
        return self.ff.submit("reconstruct", {"input": SIEMENS, "output": self.path(name), "epochs": 100}, "--retries", "0")

    def test_a_reconstruction_goes_on_in_the_next_block_bit_for_bit(self):
        self.ff.up("reconstruct")
        task = self.reconstruct("cut.h5")
        wait_for(lambda: self.ff.epochs(task) >= 5, "five epochs")
        manager, = self.ff.pids("farfield-manager")
        self.ff.kill(manager, signal.SIGUSR1)  # as a scheduler announces the end of a job
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["attempt"]), ("success", 2), ended)
        self.assertGreaterEqual(ended["result"]["resumed_at"], 5)
        self.assertNotIn(manager, self.ff.pids("farfield-manager"))
        whole = self.ff.wait_task(self.reconstruct("whole.h5"))
        self.assertEqual((whole["state"], whole["attempt"]), ("success", 1), whole)
        self.assertEqual(*(tool("hdf5_tool", "digest", self.path(name), "/object") for name in ("cut.h5", "whole.h5")))

    def test_a_command_that_cannot_is_cut_off_and_begins_anew(self):
        self.ff.start_service()
        self.ff.run("function", "register", "slow", "--shell", "test -e {mark} || { touch {mark}; sleep 3600; }")
        self.ff.configure()
        self.ff.environment["FARFIELD_BLOCK_ENDS"] = str(int(time.time()) + 8)
        self.ff.start_endpoint()
        task = self.ff.submit("slow", {"mark": self.path("mark")}, "--retries", "0")
        watch = self.ff.start("task", "watch", task, "--json")
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["attempt"]), ("success", 2), ended)
        said, _ = watch.communicate(timeout=DEADLINE)
        self.assertIn("the time of the block was over", said)
        self.assertIn("slow writes no checkpoints, so it begins anew", said)


if __name__ == "__main__":
    main()
