"""PBS and Cobalt, played by stand-in commands that answer as the manuals show: tasks run in jobs, outages change nothing, and
no job is submitted twice or left behind."""
import json
import os
import signal
import subprocess

from harness import SOURCE, FarfieldTest, main, wait_for

STANDIN = os.path.join(SOURCE, "tests", "integration", "tools", "batch_standin.py")


class Cluster:
    """A folder with the stand-in commands."""

    def __init__(self, folder, kind, nodes):
        self.folder = os.path.join(folder, "cluster")
        os.mkdir(self.folder)
        for name in ("qsub", "qselect", "qstat", "qdel", "mpiexec", "mpirun"):
            os.symlink(STANDIN, os.path.join(self.folder, name))
        self.put("cluster", {"kind": kind, "nodes": nodes})

    def put(self, name, value):
        beside = os.path.join(self.folder, name + ".new")
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(value, file)
        os.rename(beside, os.path.join(self.folder, name))

    def read(self, name):
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def calls(self, name):
        return [call for call in map(json.loads, self.read("calls").splitlines()) if call[0] == name]

    def jobs(self):
        return json.loads(self.read("jobs") or "[]")


class SchedulerTests:
    """For both; `kind` says which."""
    slots = 1

    def begin(self, *settings, nodes=4):
        self.cluster = Cluster(self.ff.folder, self.kind, nodes)
        self.ff.environment["PATH"] = self.cluster.folder + ":" + self.ff.environment["PATH"]
        self.ff.start_service()
        self.ff.register("fault")
        said = self.ff.configure("site", provider=self.kind, settings=(
            "agent_host=127.0.0.1", "status_interval_s=1", "walltime=30m", "partition=gpu", *settings))
        self.ff.start_endpoint("site")
        return said

    def hold(self):
        return self.ff.submit("fault", {"do": "sleep", "seconds": 3600}, endpoint="site")

    def questions(self):
        return len(self.cluster.calls("qstat"))

    def wait_questions(self, more):
        before = self.questions()
        wait_for(lambda: self.questions() >= before + more, f"{more} more questions")

    def log(self):
        with open(os.path.join(self.ff.home, "endpoints", "site", "log"), encoding="utf-8") as file:
            return file.read()

    def test_tasks_run_in_jobs_and_jobs_are_given_back(self):
        said = self.begin("max_blocks=2", "idle_block_s=1", "account=aps")
        self.assertIn("could not be asked", said.err)
        tasks = [self.hold() for _ in range(2)]
        for task in tasks:
            self.ff.wait_task(task, "running")
        running = [job for job in self.cluster.jobs() if job["state"] == "R"]
        self.assertEqual(len(running), 2)
        for option in self.wanted:
            self.assertIn(list(option), running[0]["given"])
        for task in tasks:
            self.ff.run("task", "cancel", task)
        wait_for(lambda: not self.ff.pids("farfield-manager"), "idle jobs to end")
        self.assertEqual(self.ff.call("fault", {"do": "succeed"}, endpoint="site")["state"], "success")

    def test_a_block_of_several_nodes(self):
        self.begin("nodes_per_block=3", "max_blocks=1", "init_blocks=1")
        wait_for(lambda: len(self.ff.pids("farfield-manager")) == 3, "a manager on each node")
        self.assertEqual(len(self.cluster.calls("qsub")), 1)
        tasks = [self.hold() for _ in range(3)]
        for task in tasks:
            self.ff.wait_task(task, "running")
        for task in tasks:
            self.ff.run("task", "cancel", task)

    def test_an_outage_changes_nothing(self):
        self.begin("max_blocks=3")
        task = self.hold()
        self.ff.wait_task(task, "running")
        jobs = len(self.cluster.jobs())
        for mode in ("down", "garbage"):
            self.cluster.put("mode", mode)
            self.wait_questions(2)
            self.assertEqual(self.ff.show(task)["state"], "running")
            self.cluster.put("mode", "")
            wait_for(lambda: self.log().count("tells again") == self.log().count("does not tell") > 0, "an answer")
        self.assertEqual(len(self.cluster.jobs()), jobs)
        self.assertEqual(self.log().count("does not tell"), 2)
        self.assertEqual(self.ff.show(task)["attempt"], 1)
        self.ff.run("task", "cancel", task)

    def test_an_agent_that_was_killed_finds_its_jobs(self):
        self.begin("max_blocks=2", nodes=1)
        tasks = [self.hold() for _ in range(2)]
        self.ff.wait_task(tasks[0], "running")
        wait_for(lambda: sorted(job["state"] for job in self.cluster.jobs()) == ["Q", "R"], "a job that waits")
        for _ in range(2):
            self.ff.kill(self.ff.agent_pid("site"))
            self.ff.start_endpoint("site")
            self.wait_questions(2)
        self.assertEqual(len(self.cluster.calls("qsub")), 2)
        self.ff.run("task", "cancel", tasks[0])
        self.ff.wait_task(tasks[1], "running")
        self.ff.run("task", "cancel", tasks[1])

    def test_a_submission_whose_answer_is_lost_is_not_repeated(self):
        self.begin("max_blocks=1")
        self.cluster.put("mode", "lost")
        task = self.hold()
        self.ff.wait_task(task, "running")
        self.cluster.put("mode", "")
        self.assertEqual(len(self.cluster.calls("qsub")), 1)
        self.ff.run("task", "cancel", task)

    def test_what_the_scheduler_refuses_is_told(self):
        self.begin("partition=gone")
        task = self.hold()
        wait_for(lambda: "qsub: Unknown queue" in self.ff.run("endpoint", "status", "site").out, "its words")
        wait_for(lambda: self.log().count("did not come up: qsub: Unknown queue") >= 2, "another attempt")
        self.assertLess(len(self.cluster.calls("qsub")), 6)
        self.ff.run("task", "cancel", task)

    def test_jobs_that_wait_go_with_the_endpoint(self):
        self.begin("max_blocks=2", nodes=1)
        tasks = [self.hold() for _ in range(2)]
        self.ff.wait_task(tasks[0], "running")
        wait_for(lambda: len(self.cluster.jobs()) == 2, "a job that waits")
        self.ff.run("endpoint", "stop", "site", "--now")
        self.cluster.put("mode", "")
        self.assertEqual([job["state"] for job in self.cluster.jobs() if job["state"] == "Q"], [])
        self.assertEqual(self.ff.pids("farfield-manager"), [])
        self.assertEqual(os.listdir(os.path.join(self.ff.home, "endpoints", "site", "blocks")), [])

    def test_workers_that_come_while_the_endpoint_stops_leave_again(self):
        self.begin("max_blocks=1", "drain_limit_ms=500", nodes=0)
        task = self.hold()
        wait_for(lambda: self.questions() > 1 and self.cluster.jobs(), "a job that waits")
        qdel = os.path.join(self.cluster.folder, "qdel")
        os.unlink(qdel)
        os.symlink("/bin/false", qdel)
        agent, = self.ff.pids("farfield-endpoint")
        os.kill(agent, signal.SIGTERM)
        wait_for(lambda: "stopping" in self.log(), "the agent to stop")
        self.cluster.put("cluster", {"kind": self.kind, "nodes": 1})
        wait_for(lambda: self.ff.pids("farfield-endpoint") == [], "the agent to end")
        self.assertIn("manager on", self.log())
        self.assertEqual(self.ff.pids("farfield-manager"), [])
        self.ff.run("task", "cancel", task)

    def test_a_scheduler_that_is_away_does_not_keep_the_endpoint(self):
        self.begin("max_blocks=1", "drain_limit_ms=500", nodes=0)
        task = self.hold()
        wait_for(lambda: self.questions() > 1 and self.cluster.jobs(), "a job that waits")
        self.cluster.put("mode", "down")
        self.ff.run("endpoint", "stop", "site")
        self.assertIn("is given up", self.log())
        self.assertEqual(os.listdir(os.path.join(self.ff.home, "endpoints", "site", "blocks")), [])
        # The scheduler comes back and starts the job, which ends at once.
        self.cluster.put("mode", "")
        self.cluster.put("cluster", {"kind": self.kind, "nodes": 1})
        qstat = [os.path.join(self.cluster.folder, "qstat")] + (["-x", "-f"] if self.kind == "pbs" else [])
        wait_for(lambda: subprocess.run(qstat, capture_output=True, check=True) and
                 [job["state"] for job in self.cluster.jobs()] == ["F"], "the end of the job")
        self.assertEqual(self.ff.pids("farfield-manager"), [])
        self.ff.run("task", "cancel", task)

    def test_a_restart_does_not_wait_for_jobs_in_the_queue(self):
        self.begin("max_blocks=1", nodes=0)
        task = self.hold()
        wait_for(lambda: self.questions() > 1 and self.cluster.jobs(), "a job that waits")
        self.ff.kill(self.ff.agent_pid("site"))
        self.ff.start_endpoint("site")
        wait_for(lambda: self.ff.show(task)["waiting_because"], "the agent to work again")
        self.assertNotIn("has not come back", self.log())
        self.ff.run("task", "cancel", task)

    def doctor(self, *words):
        outcome = self.ff.run("endpoint", "doctor", "site", "--json", *words, status=None)
        return {check["check"]: check for check in outcome.document["checks"]}

    def test_the_doctor_runs_a_job(self):
        self.begin()
        checks = self.doctor()
        self.assertNotIn("job", checks)
        self.assertEqual(checks["provider"]["level"], "ok")
        self.assertEqual(checks["address"]["level"], "warning")
        self.assertIn("127.0.0.1", checks["address"]["text"])
        self.assertEqual(self.cluster.calls("qsub"), [])
        checks = self.doctor("--submit-test")
        for name in ("job", "node", "way back", "node gpus"):
            self.assertEqual(checks[name]["level"], "ok", checks[name])
        self.ff.run("endpoint", "stop", "site")
        checks = self.doctor("--submit-test")  # in the place of an agent
        self.assertEqual(checks["way back"]["level"], "ok", checks["way back"])
        self.assertEqual([name for name in os.listdir(os.path.join(self.ff.home, "endpoints", "site"))
                          if name.startswith("doctor")], [])

    def test_the_doctor_says_why_its_job_does_not_run(self):
        self.begin("partition=gone", "worker_init=echo no such device >&2; exit 3")
        self.assertIn("Unknown queue", self.doctor("--submit-test")["job"]["text"])
        self.ff.run("endpoint", "stop", "site")
        self.ff.run("endpoint", "delete", "site")
        self.ff.configure("site", provider=self.kind, settings=(
            "agent_host=127.0.0.1", "walltime=30m", "worker_init=echo no such device >&2; exit 3"))
        job = self.doctor("--submit-test")["job"]
        self.assertEqual(job["level"], "error")
        self.assertIn("no such device", job["text"])

    def test_a_doctor_that_is_interrupted_takes_its_job_along(self):
        self.begin(nodes=0)
        doctor = self.ff.start("endpoint", "doctor", "site", "--submit-test")
        wait_for(self.cluster.jobs, "a job")
        wait_for(lambda: self.ff.pids("farfield-endpoint"), "the doctor")
        doctor.send_signal(signal.SIGINT)
        said = doctor.communicate()[0]
        self.assertIn("was cancelled", said)
        self.assertEqual([job["state"] for job in self.cluster.jobs()], ["F"])


class Pbs(SchedulerTests, FarfieldTest):
    kind = "pbs"
    wanted = (("-q", "gpu"), ("-A", "aps"), ("-l", "select=1:mpiprocs=1"), ("-l", "walltime=0:30:00"), ("-r", "n"))


class Cobalt(SchedulerTests, FarfieldTest):
    kind = "cobalt"
    wanted = (("-q", "gpu"), ("-A", "aps"), ("-n", "1"), ("-t", "30"), ("--mode", "script"))


if __name__ == "__main__":
    main()
