#!/usr/bin/env python3
"""Plays the commands of PBS or Cobalt: qsub, qselect, qstat, qdel, mpiexec, mpirun, as their manuals show them.

Called by the name of a command, from a folder that holds `cluster`: {"kind": "pbs" or "cobalt", "nodes": N}. The scheduler has
no daemon: each command first looks which jobs have ended, and starts those there are nodes for. It writes its own command line
into `calls`. What `mode` holds spoils it: down (cannot connect), garbage, hang, lost (qsub does its work and then fails).
"""
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(sys.argv[0]))
NAME = os.path.basename(sys.argv[0])


def path(name):
    return os.path.join(FOLDER, name)


def read(name, otherwise):
    try:
        with open(path(name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return otherwise


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def start(job, kind):
    nodes = [f"{job['id'].split('.')[0]}-{number}" for number in range(job["nodes"])]
    with open(path(f"nodes.{job['id']}"), "w", encoding="ascii") as file:
        file.write("\n".join(nodes) + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FARFIELD_")}
    environment["PBS_NODEFILE" if kind == "pbs" else "COBALT_NODEFILE"] = path(f"nodes.{job['id']}")
    environment["PBS_JOBID" if kind == "pbs" else "COBALT_JOBID"] = job["id"]
    with open(path(f"output.{job['id']}"), "ab") as output:
        job["pid"] = subprocess.Popen(["bash", job["script"]], stdin=subprocess.DEVNULL, stdout=output,
                                      stderr=subprocess.STDOUT, start_new_session=True, env=environment).pid
    job["state"], job["start"] = "R", int(time.time())


def tick(cluster, jobs):
    for job in jobs:
        if job["state"] == "R" and not is_alive(job["pid"]):
            job["state"] = "F"
    for job in jobs:
        used = sum(other["nodes"] for other in jobs if other["state"] == "R")
        if job["state"] == "Q" and used + job["nodes"] <= cluster["nodes"]:
            start(job, cluster["kind"])


def options(words, flags):
    """[(option, value)…] and what is left."""
    found, words = [], list(words)
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if "=" in option:
            option, _, value = option.partition("=")
            found.append((option, value))
        else:
            found.append((option, None if option in flags else words.pop(0)))
    return found, words


def qsub(cluster, jobs):
    given, rest = options(sys.argv[1:], ())
    if len(rest) != 1 or not os.access(rest[0], os.X_OK):
        sys.exit("qsub: script file: cannot open")
    if ("-q", "gone") in given:
        sys.exit("qsub: Unknown queue")
    number = 100 + len(jobs)
    job = {"script": rest[0], "state": "Q", "given": given, "nodes": 1, "walltime": "01:00:00"}
    if cluster["kind"] == "pbs":
        job["id"] = f"{number}.pbs-01"
        for option, value in given:
            if option == "-N":
                job["name"] = value
            elif option == "-l" and value.startswith("select="):
                job["nodes"] = int(value[7:].partition(":")[0])
            elif option == "-l" and value.startswith("walltime="):
                job["walltime"] = value[9:]
    else:
        job["id"] = str(10014000 + number)
        values = dict(given)
        job["name"], job["nodes"] = values["--jobname"], int(values["-n"])
        job["walltime"] = f"{int(values['-t']) // 60:02}:{int(values['-t']) % 60:02}:00"
    jobs.append(job)
    return job["id"] + "\n" if cluster["kind"] == "pbs" else f"Job routed to queue \"full-node\".\n{job['id']}\n"


def qselect(_, jobs):
    name = sys.argv[sys.argv.index("-N") + 1]
    return "".join(job["id"] + "\n" for job in jobs if job["state"] != "F" and job["name"] == name)


def qstat_pbs(jobs):
    given, wanted = options(sys.argv[1:], ("-x", "-f"))
    history = ("-x", None) in given
    shown = {}
    for name in wanted:
        job = next((job for job in jobs if job["id"] == name and (history or job["state"] != "F")), None)
        if job is None:
            print(f"qstat: Unknown Job Id {name}", file=sys.stderr)
            continue
        shown[name] = {"Job_Name": job["name"], "job_state": job["state"],
                       "Resource_List": {"walltime": job["walltime"], "nodect": job["nodes"]}}
        if job["state"] == "Q":
            shown[name]["comment"] = "Not Running: Insufficient amount of resource: ncpus"
        if "start" in job:
            shown[name]["stime"] = time.strftime("%a %b %d %H:%M:%S %Y", time.localtime(job["start"]))
        if job["state"] == "F":
            shown[name]["Exit_status"] = 0
    print(json.dumps({"timestamp": int(time.time()), "pbs_server": "pbs-01", "Jobs": shown}, indent=4))
    sys.stdout.flush()
    if len(shown) < len(wanted):
        sys.exit(153)


def qstat_cobalt(jobs):
    lines = ["JobID     State    JobName               ", "=" * 41]
    lines += [f"{job['id']}  {'queued' if job['state'] == 'Q' else 'running'}  {job['name']}"
              for job in jobs if job["state"] != "F"]
    print("\n".join(lines) if len(lines) > 2 else "", end="\n" if len(lines) > 2 else "")


def qdel(_, jobs):
    for job in jobs:
        if job["id"] in sys.argv[1:]:
            if job["state"] == "R":
                os.killpg(job["pid"], signal.SIGTERM)
            else:
                job["state"] = "F"
    return ""


def mpi():
    """Starts the command once a node of the job."""
    words = sys.argv[1:]
    at = next(i for i, word in enumerate(words) if word.startswith("/") and words[i - 1] != "--hostfile")
    with open(os.environ.get("PBS_NODEFILE") or os.environ["COBALT_NODEFILE"], encoding="ascii") as file:
        nodes = file.read().split()
    children = [subprocess.Popen(words[at:], env={**os.environ, "SLURMD_NODENAME": node}) for node in nodes]
    signal.signal(signal.SIGTERM, lambda *_: [child.terminate() for child in children])
    for child in children:
        child.wait()


def main():
    if NAME.startswith("mpi"):
        return mpi()
    with open(path("lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(path("calls"), "a", encoding="utf-8") as file:
            file.write(json.dumps([NAME, *sys.argv[1:]]) + "\n")
        mode = read("mode", "")
        if mode == "down":
            sys.exit(f"{NAME}: cannot connect to server pbs-01 (errno=111)")
        if mode == "garbage":
            print("<html>503 busy")
            return None
        if mode == "hang":
            fcntl.flock(lock, fcntl.LOCK_UN)
            time.sleep(3600)
        cluster, jobs = read("cluster", None), read("jobs", [])
        tick(cluster, jobs)
        said = None
        if NAME == "qstat":
            (qstat_pbs if cluster["kind"] == "pbs" else qstat_cobalt)(jobs)
        else:
            said = {"qsub": qsub, "qselect": qselect, "qdel": qdel}[NAME](cluster, jobs)
        tick(cluster, jobs)
        with open(path("jobs.new"), "w", encoding="utf-8") as file:
            json.dump(jobs, file)
        os.rename(path("jobs.new"), path("jobs"))
        if mode == "lost" and NAME == "qsub":
            sys.exit("qsub: request timed out")
        sys.stdout.write(said or "")
    return None


if __name__ == "__main__":
    main()
