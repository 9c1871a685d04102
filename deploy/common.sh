# Sourced by the bash scripts beside it: where the tree is, and how they speak.
# shellcheck shell=bash
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
self=$(basename -- "$0")

say() { printf "%s\n" "$@"; }
warn() { printf '%s: %s\n' "$self" "$*" >&2; }
die() { warn "$*"; exit 1; }
# Wrong use: what was wrong, and where the right use stands.
misuse() { warn "$* (see $self --help)"; exit 2; }

# The comment block at the head of a script is its help.
show_help() { sed -n '2,/^[^#]/{/^#/!q; s/^# \{0,1\}//; p}' "$0"; exit 0; }
