"""The whole way on measured data: through service, endpoint and worker, and here and now."""
import os

from harness import SIEMENS, FarfieldTest, main, tool

EPOCHS = 3


class Way(FarfieldTest):
    def settings(self, name):
        return {"input": SIEMENS, "output": os.path.join(self.ff.folder, name), "epochs": EPOCHS, "seed": 7}

    def locally(self, settings):
        words = [word for key, value in settings.items() if key not in ("input", "output")
                 for word in ("--set", f"{key}={value}")]
        return self.ff.run("reconstruct", settings["input"], "--output", settings["output"], *words, "--json").lines

    def test_a_registered_function_reconstructs_a_scan_by_its_id(self):
        self.ff.up()
        function = self.ff.register("reconstruct")
        settings = self.settings("far.h5")
        task = self.ff.call(function, settings)
        self.assertEqual(task["state"], "success", task)
        self.assertEqual(task["attempt"], 1)
        self.assertEqual(task["result"]["output"], settings["output"])
        self.assertEqual(task["result"]["epochs"], EPOCHS)
        self.assertEqual(task["result"]["stopped"], "done")
        self.assertLess(task["result"]["cost"], 2)
        self.assertLess(task["result"]["r"], 0.5)
        self.assertTrue(os.path.exists(settings["output"]))
        self.assertGreater(task["timings"]["run_ms"], 0)
        self.assertGreaterEqual(task["timings"]["total_ms"], task["timings"]["run_ms"])

    def test_the_result_is_the_same_bit_for_bit_as_without_a_service(self):
        self.ff.up("reconstruct")
        far, near = self.settings("far.h5"), self.settings("near.h5")
        self.assertEqual(self.ff.call("reconstruct", far)["state"], "success")
        lines = self.locally(near)
        self.assertEqual(lines[-1]["type"], "result")
        self.assertEqual([line["epoch"] for line in lines if line["type"] == "epoch"], list(range(1, EPOCHS + 1)))
        for dataset in ("/object", "/probe"):
            self.assertEqual(tool("hdf5_tool", "digest", far["output"], dataset),
                             tool("hdf5_tool", "digest", near["output"], dataset), dataset)

    def test_relative_paths_start_where_the_command_was_called(self):
        self.ff.up("reconstruct")
        os.symlink(SIEMENS, os.path.join(self.ff.folder, "scan.cxi"))
        task = self.ff.call("reconstruct", {"input": "scan.cxi", "output": "here.h5", "epochs": 1})
        self.assertEqual(task["state"], "success", task)
        self.assertTrue(os.path.exists(os.path.join(self.ff.folder, "here.h5")))

    def test_a_waiting_run_prints_the_result_and_ends_with_status_0(self):
        self.ff.up("echo")
        said = self.ff.run("run", "echo", "--endpoint", "local", "--args", '{"a": [1, "two", null]}')
        self.assertIn("two", said.out)

    def test_arguments_from_a_file(self):
        self.ff.up("echo")
        with open(os.path.join(self.ff.folder, "arguments.json"), "w", encoding="utf-8") as file:
            file.write('{"from": "a file"}')
        task = self.ff.json("run", "echo", "--endpoint", "local", "--args", "@arguments.json", "--detach")["task_id"]
        self.assertEqual(self.ff.wait_task(task)["result"], {"from": "a file"})

    def test_large_arguments_and_results_travel_as_objects(self):
        self.ff.up("echo")
        value = {"text": "x" * 3_000_000}
        path = os.path.join(self.ff.folder, "large.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"text": "' + value["text"] + '"}')
        task = self.ff.json("run", "echo", "--endpoint", "local", "--args", "@" + path, "--detach")["task_id"]
        self.assertEqual(self.ff.wait_task(task)["state"], "success")
        self.assertIn(value["text"], self.ff.run("task", "result", task).out)


if __name__ == "__main__":
    main()
