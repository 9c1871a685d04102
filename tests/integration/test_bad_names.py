"""Names and arguments that are wrong: a clear message, the documented exit status, and everybody alive afterwards."""
import os

from harness import SIEMENS, TASK_FAILED, WRONG_USE, FarfieldTest, main


class BadNames(FarfieldTest):
    alive_afterwards = True

    def setUp(self):
        super().setUp()
        self.ff.up("echo", "reconstruct")

    def test_unknown_function_offers_the_nearest(self):
        said = self.ff.run("run", "reconstrict", "--endpoint", "local", status=WRONG_USE)
        self.assert_says(said, "reconstrict", "reconstruct")

    def test_unknown_function_id(self):
        self.ff.run("run", "12345678-1234-4234-8234-123456789abc", "--endpoint", "local", status=WRONG_USE)

    def test_unknown_endpoint_offers_the_nearest(self):
        said = self.ff.run("run", "echo", "--endpoint", "locla", status=WRONG_USE)
        self.assert_says(said, "locla", "local")

    def test_unknown_task(self):
        for name in ("12345678-1234-4234-8234-123456789abc", "nonsense"):
            self.ff.run("task", "show", name, status=WRONG_USE)

    def test_arguments_that_are_not_json_are_shown_with_the_place(self):
        for text in ("{'a': 1}", '{"a": }', "", '{"a": 1} x', '{"a": 1'):
            said = self.ff.run("run", "echo", "--endpoint", "local", "--args", text, status=WRONG_USE)
            self.assert_says(said, "json")

    def test_an_argument_file_that_is_not_there(self):
        said = self.ff.run("run", "echo", "--endpoint", "local", "--args", "@nowhere.json", status=None)
        self.assertIn(said.status, (TASK_FAILED, WRONG_USE))
        self.assert_says(said, "nowhere.json")

    def test_unknown_setting_offers_the_nearest(self):
        task = self.ff.call("reconstruct", {"input": "/dev/null", "epocs": 3})
        self.assertEqual((task["state"], task["error"]["code"]), ("failed", "UNKNOWN_SETTING"), task)
        self.assertIn("epochs", task["error"]["message"] + task["error"]["hint"])
        said = self.ff.run("reconstruct", "/dev/null", "--set", "epocs=3", status=WRONG_USE)
        self.assert_says(said, "epocs", "epochs")

    def test_settings_with_impossible_values(self):
        for setting, value in (("epochs", "-1"), ("epochs", "many"), ("modes", "1000"), ("algorithm", "magic")):
            said = self.ff.run("reconstruct", "/dev/null", "--set", f"{setting}={value}", status=WRONG_USE)
            self.assert_says(said, setting, value)

    def test_names_that_cannot_be(self):
        for name in ("../escape", "a/b", "x" * 100, "", "new\nline", "-dash"):
            said = self.ff.run("endpoint", "configure", name, status=None)
            self.assertEqual(said.status, WRONG_USE, str(said))

    def test_a_function_file_that_is_none(self):
        for path in ("/nowhere.so", "/tmp", "/etc/passwd"):
            said = self.ff.run("function", "register", "broken", "--native", path, status=None)
            self.assertIn(said.status, (TASK_FAILED, WRONG_USE), str(said))
            self.assert_says(said, path)


class BadFiles(FarfieldTest):
    """The same refusals as they arrive through the service, and the endpoint alive afterwards."""

    def test_refusals_reach_the_user(self):
        self.ff.up("reconstruct", "echo")
        folder = "/sys/kernel" if os.geteuid() == 0 else "/proc"
        output = os.path.join(self.ff.folder, "out.h5")
        for arguments, code in (({"input": "/nowhere.cxi", "output": output}, "INPUT_MISSING"),
                                ({"input": self.ff.folder, "output": output}, "INPUT_INVALID"),
                                ({"input": "/etc/passwd", "output": output}, "INPUT_INVALID"),
                                ({"input": SIEMENS, "output": folder + "/out.h5", "epochs": 1}, "OUTPUT_FAILED")):
            task = self.ff.call("reconstruct", arguments)
            self.assertEqual((task["state"], task["error"]["code"]), ("failed", code), task)
            self.assertEqual(task["attempt"], 1, "a refusal is final")
            self.assertTrue(task["error"]["message"])
        self.assert_alive()


if __name__ == "__main__":
    main()
