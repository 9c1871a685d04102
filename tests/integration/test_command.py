"""The command itself: help, wrong use, JSON of every verb, completion."""
import json
import os
import subprocess

from harness import COMMAND, SIEMENS, SOURCE, WRONG_USE, FarfieldTest, main

VERBS = [("service", verb) for verb in ("start", "stop", "status", "logs")] + \
        [("token", verb) for verb in ("create", "list", "revoke")] + \
        [("endpoint", verb) for verb in ("configure", "start", "stop", "restart", "status", "logs", "doctor", "delete",
                                         "list", "warm")] + \
        [("function", verb) for verb in ("register", "list", "show", "delete")] + \
        [("task", verb) for verb in ("list", "show", "watch", "result", "logs", "cancel", "stop")] + \
        [("run",), ("reconstruct",), ("inspect",), ("show",), ("compare",), ("simulate",), ("gpu", "list"), ("bench", "dispatch"),
         ("bench", "reconstruct"), ("bench", "gpu-registry")]


class Command(FarfieldTest):
    def test_every_verb_has_help(self):
        overview = self.ff.run("--help").out
        for verb in VERBS:
            self.assertIn(verb[0], overview)
            with self.subTest(verb=verb):
                said = self.ff.run(*verb, "--help").out
                self.assertIn(verb[-1], said)
                self.assertGreater(len(said.splitlines()), 3)

    def test_wrong_use_is_status_2_and_says_what_is_right(self):
        self.ff.run(status=WRONG_USE)
        self.assert_says(self.ff.run("tusk", "list", status=WRONG_USE), "task")
        self.assert_says(self.ff.run("task", "lst", status=WRONG_USE), "list")
        self.assert_says(self.ff.run("task", "show", status=WRONG_USE), "task")
        self.assert_says(self.ff.run("task", "list", "--limt", "3", status=WRONG_USE), "--limit")

    def test_help_of_help(self):
        overview = self.ff.run("--help").out
        for words in (("help",), ("help", "help"), ("help", "--help"), ("--help", "-h")):
            self.assertEqual(self.ff.run(*words).out, overview)
        self.assertEqual(self.ff.run("help", "task", "list").out, self.ff.run("task", "list", "--help").out)
        self.assertIn("usage:", self.ff.run("help", "inspect").out)

    def test_version(self):
        self.assertIn("0.1", self.ff.run("version").out)
        self.assertIn("farfield", self.ff.json("version"))

    def test_json_of_every_command_is_json_and_nothing_else(self):
        self.ff.json("service", "start")
        self.ff.json("service", "status")
        self.ff.json("endpoint", "configure", "local")
        self.ff.json("endpoint", "start", "local")
        for words in (("endpoint", "list"), ("endpoint", "status", "local"), ("endpoint", "doctor", "local"), ("endpoint", "warm", "local", 1, "--until", "+1h"), ("endpoint", "warm", "local", 0),
                      ("gpu", "list"), ("token", "list"), ("inspect", SIEMENS)):
            self.ff.json(*words)
        made = self.ff.json("token", "create", "a label")
        self.ff.json("token", "revoke", made["token_id"])
        self.ff.register("echo")
        self.ff.json("function", "list")
        self.ff.json("function", "show", "echo")
        task = self.ff.submit("echo", {"x": 1})
        self.ff.wait_task(task)
        self.assertTrue(self.ff.run("run", "echo", "--endpoint", "local", "--json").lines)
        for words in (("task", "list"), ("task", "show", task), ("task", "cancel", task), ("task", "stop", task)):
            self.ff.run(*words, "--json", status=None).document  # pylint: disable=expression-not-assigned
        self.assertTrue(self.ff.run("task", "watch", task, "--json").lines)
        self.assertTrue(self.ff.run("task", "result", task, "--json").lines)
        for words in (("task", "logs", task), ("service", "logs"), ("endpoint", "logs", "local")):
            self.ff.run(*words, "--json").lines  # pylint: disable=expression-not-assigned
        self.ff.json("function", "delete", "echo")
        self.ff.json("endpoint", "stop", "local")
        self.ff.json("endpoint", "delete", "local")
        self.ff.json("service", "stop")

    def test_programs_say_what_to_do_with_a_wrong_file(self):
        result = os.path.join(self.ff.folder, "result.h5")
        said = self.ff.run("inspect", os.path.join(self.ff.folder, "nothing.cxi"), status=1)
        self.assertEqual(said.out, "")
        self.assert_says(said, "nothing.cxi")
        self.ff.run("reconstruct", SIEMENS, "--set", "epochs=1", "--output", result)
        self.assert_says(self.ff.run("inspect", result, status=1), "farfield show " + result)
        self.assert_says(self.ff.run("reconstruct", result, status=1), "farfield show " + result)
        self.assert_says(self.ff.run("show", status=WRONG_USE), "farfield show FILE")
        self.assert_says(self.ff.run("show", result, "--no-such", status=WRONG_USE), "farfield show --help")
        self.assert_says(self.ff.run("simulate", "--object", SIEMENS, status=1), "not a PNG file")
        self.assert_says(self.ff.run("gpu", "lst", status=WRONG_USE), "'lst'")

    def test_a_file_that_was_not_meant_as_text(self):
        self.ff.up()
        self.ff.run("function", "register", "count", "--shell", "cat {file}")
        with open(os.path.join(self.ff.folder, "note.txt"), "w", encoding="utf-8") as file:
            file.write("x")
        said = self.ff.run("run", "count", "--endpoint", "local", "--args", '{"file": "note.txt"}', status=1)
        self.assert_says(said, '"./note.txt"')
        task = self.ff.json("task", "list")["tasks"][0]["task_id"]
        self.assert_says(said, "farfield task logs " + task)
        self.assert_says(self.ff.run("task", "list"), "no such file")

    def test_errors_are_json_too(self):
        self.ff.start_service()
        said = self.ff.run("function", "show", "nothing", "--json", status=WRONG_USE)
        self.assertIn("FUNCTION_NOT_FOUND", json.dumps(said.document))

    def test_a_closed_output_is_no_crash(self):
        done = subprocess.run(["bash", "-c", '"$0" --help | head -n 1; exit ${PIPESTATUS[0]}',
                               COMMAND], env=self.ff.environment, capture_output=True, check=False, timeout=60)
        self.assertLess(done.returncode, 128, done)

    def complete(self, *words):
        script = f'source "{SOURCE}/deploy/completions/farfield.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); ' \
                 '$(complete -p farfield | sed "s/.*-F \\([^ ]*\\).*/\\1/"); printf "%s\\n" "${COMPREPLY[@]}"'
        path = os.path.dirname(COMMAND) + ":" + os.environ["PATH"]
        done = subprocess.run(["bash", "-c", script, "farfield", *words], env={**self.ff.environment, "PATH": path},
                              capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.split()

    def test_completion(self):
        self.assertIn("service", self.complete("farfield", "se"))
        self.assertEqual(sorted(self.complete("farfield", "service", "st")), ["start", "status", "stop"])
        self.assertIn("--endpoint", self.complete("farfield", "run", "--e"))
        self.assertEqual(self.complete("farfield", "reconstruct", "x.cxi", "--set", "mod"), ["modes="])
        self.assertIn("positions_file=", self.complete("farfield", "inspect", "x.cxi", "--set", "positions_f"))

    def test_completion_names_tasks_and_functions_once(self):
        self.ff.up("echo", "echo")
        tasks = [self.ff.submit("echo", {"n": n}) for n in range(21)]
        self.assertEqual(self.complete("farfield", "run", ""), ["echo"])
        self.assertEqual(sorted(self.complete("farfield", "task", "show", "")), sorted(tasks)[1:])


if __name__ == "__main__":
    main()
