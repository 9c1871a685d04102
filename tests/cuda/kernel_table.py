#!/usr/bin/env python3
"""kernel_table.py (--check | --write) --readme FILE --nvcc NVCC --occupancy PROGRAM --objects FOLDER SOURCE.cu…

The table of the kernels of the CUDA backend: registers, shared memory and occupancy, of what nvcc's build has left in
FOLDER (SOURCE.ptxas: what ptxas said; SOURCE.keep/: the PTX). Every kernel needs __launch_bounds__, which says how large
its blocks are. What a kernel takes of dynamic shared memory at most stands in its file, as
    Dynamic shared memory of KERNEL: BYTES bytes
--check compares it with what stands in the README between the two marks, --write puts it there.
Exit status 0: the same; 1: not, or a kernel spills or has no bounds; 77: made with another release of nvcc.
"""
import argparse
import collections
import os
import re
import subprocess
import sys

BEGIN, END = "<!-- kernels: begin -->", "<!-- kernels: end -->"
ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)a?'")
SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(.*)")
SHARED = re.compile(r"(\d+) bytes smem")
BOUNDS = re.compile(r"\.entry (\w+)\((?:[^{]*?)\)\s*((?:\.\w+ [\d, ]+\s*)*)\{", re.DOTALL)
DYNAMIC = re.compile(r"Dynamic shared memory of (\w+): (\d+) bytes")

Kernel = collections.namedtuple("Kernel", "registers shared")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def parse_ptxas(text):
    """{(mangled name, sm): Kernel}; a spill ends the program."""
    found, current = {}, None
    for line in text.splitlines():
        entry, spills, used = ENTRY.search(line), SPILLS.search(line), USED.search(line)
        if entry:
            current = entry.group(1), int(entry.group(2))
        elif spills and current and spills.groups() != ("0", "0"):
            sys.exit(f"kernel_table: {current[0]} spills registers for sm_{current[1]}: {line.strip()}")
        elif used and current:
            shared = SHARED.search(used.group(2))
            found[current] = Kernel(int(used.group(1)), int(shared.group(1)) if shared else 0)
            current = None
    return found


def parse_threads(text):
    """{mangled name: threads of a block}, of the directives of a PTX file."""
    threads = {}
    for name, directives in BOUNDS.findall(text):
        bound = re.search(r"\.(?:maxntid|reqntid) (\d+)(?:, (\d+))?(?:, (\d+))?", directives)
        if bound:
            sizes = [int(size) for size in bound.groups() if size]
            threads[name] = sizes[0] * (sizes[1] if len(sizes) > 1 else 1) * (sizes[2] if len(sizes) > 2 else 1)
    return threads


def plain_names(mangled):
    """{mangled: name without namespace and parameters, with template arguments}"""
    said = subprocess.run(["c++filt"], input="\n".join(mangled), capture_output=True, text=True, check=True).stdout
    names = {}
    for name, plain in zip(mangled, said.splitlines()):
        plain = plain.replace("(anonymous namespace)::", "")
        plain = re.sub(r"\((bool|int|unsigned int)\)", "", plain)  # of template arguments
        names[name] = re.sub(r"^void ", "", plain).split("(")[0]
    return names


def occupancies(program, questions):
    lines = "".join(f"{sm // 10} {threads} {registers} {shared}\n" for sm, threads, registers, shared in questions)
    said = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout
    return [int(line) for line in said.split()]


def release_of(nvcc):
    said = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"release ([\d.]+)", said).group(1)


def table(options):
    kernels, threads, dynamic = {}, {}, {}
    for source in options.sources:
        stem = os.path.join(options.objects, os.path.basename(source))
        kernels.update(parse_ptxas(read(stem + ".ptxas")))
        for name in sorted(os.listdir(stem + ".keep")):
            if name.endswith(".ptx"):
                threads.update(parse_threads(read(os.path.join(stem + ".keep", name))))
        dynamic.update({name: int(size) for name, size in DYNAMIC.findall(read(source))})
    names = plain_names(sorted({name for name, _ in kernels}))
    archs = sorted({sm for _, sm in kernels})
    for mangled, name in names.items():
        if mangled not in threads:
            sys.exit(f"kernel_table: {name} has no __launch_bounds__")
    rows = []
    for mangled, name in sorted(names.items(), key=lambda pair: pair[1]):
        each = [kernels[mangled, sm] for sm in archs]
        extra = dynamic.get(name.split("<")[0], 0)
        found = occupancies(options.occupancy, [(sm, threads[mangled], kernel.registers, kernel.shared + extra)
                                                for sm, kernel in zip(archs, each)])
        cells = [f"`{name}`", threads[mangled], *(kernel.registers for kernel in each), each[0].shared, extra,
                 *(f"{percent} %" for percent in found)]
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    heads = ["kernel", "threads of a block", *(f"registers sm_{sm}" for sm in archs), "shared bytes", "dynamic",
             *(f"occupancy sm_{sm}" for sm in archs)]
    return "\n".join([BEGIN, f"Made with nvcc {release_of(options.nvcc)}; no kernel spills.", "",
                      "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *rows, END])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    for name in ("readme", "nvcc", "occupancy", "objects"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("sources", nargs="+")
    options = parser.parse_args()
    text = read(options.readme)
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    now = table(options)
    if options.write:
        with open(options.readme, "w", encoding="utf-8") as file:
            file.write(text[:begin] + now + text[end:])
        return 0
    was = text[begin:end]
    if was == now:
        return 0
    made_with = re.search(r"Made with nvcc ([\d.]+)", was)
    if made_with and made_with.group(1) != release_of(options.nvcc):
        print(f"The table is of nvcc {made_with.group(1)}, this is {release_of(options.nvcc)}: not compared")
        return 77
    print(f"{options.readme} says\n{was}\nand the build says\n{now}\n`cmake --build build --target cuda_kernel_table` writes it")
    return 1


if __name__ == "__main__":
    sys.exit(main())
