# Sourced by deploy/demo for --slurm: eight reconstructions on nodes that the endpoint gets from a Slurm of the demo's own.
# shellcheck shell=bash
count=8

bring_up_cluster() {
    local node
    # Sockets lie below it, whose paths must be short.
    cluster=$(mktemp -d /tmp/farfield-demo-XXXXXX)
    chmod 755 "$cluster"
    "$root/deploy/slurm" up --nodes 4 --gpus 2 --folder "$cluster/s" || die "there is no Slurm to show this on"
    export SLURM_CONF=$cluster/s/slurm.conf
    for node in n0 n1 n2 n3; do farfield gpu pretend 2 --registry "$FARFIELD_HOME/gpus-$node" >/dev/null; done
}

# The seconds since the first submission.
since() { awk -v now="$EPOCHREALTIME" -v begin="$begin" 'BEGIN { printf "%.2f", now - begin }'; }

# The endpoint's state in one line.
survey() {
    farfield endpoint status elastic --json >"$FARFIELD_HOME/demo/status.json"
    local key
    declare -A of
    for key in block_count managers gpus running waiting; do of[$key]=$(value_of $key <"$FARFIELD_HOME/demo/status.json"); done
    printf 'jobs: %d; nodes: %d, with %d GPUs; tasks: %d run, %d wait' "${of[block_count]}" "${of[managers]}" \
        "${of[gpus]}" "${of[running]}" "${of[waiting]}"
}

# When the endpoint asked for each block, while the block's folder is there.
note_blocks() {
    stat --format='%n %.9Y' "$FARFIELD_HOME"/endpoints/elastic/blocks/*/block.yaml 2>/dev/null >>"$FARFIELD_HOME/demo/asked" ||
        true
}

# watch_endpoint WORDS: a line at each change of the endpoint's state, until it reads like these words.
watch_endpoint() {
    local last='' now
    until [[ $last == *"$1"* ]]; do
        note_blocks
        now=$(survey)
        [ "$now" = "$last" ] || say "$(printf '%7.2f s  %s' "$(since)" "$now")"
        last=$now
        sleep 0.1
    done
}

# Of each task, in ms: total, run, and until the job began on its node; then when it started and ended, as seconds.
times_of_tasks() {
    local task shown=$FARFIELD_HOME/demo/task.json node
    for task in "${tasks[@]}"; do
        farfield task show "$task" --json >"$shown"
        [ "$(value_of state <"$shown")" = success ] || die "a reconstruction did not succeed: farfield task show $task"
        node=$(value_of node <"$shown")
        say "$(value_of total_ms <"$shown") $(value_of run_ms <"$shown") $(cat "$FARFIELD_HOME/demo/began-$node")" \
            "$(date -d "$(value_of submitted <"$shown")" +%s.%N) $(date -d "$(value_of started <"$shown")" +%s.%N)" \
            "$(date -d "$(value_of ended <"$shown")" +%s.%N) $(date -d "$(value_of accepted <"$shown")" +%s.%N)"
    done | paste -d ' ' - - -
}

figures() {
    sort -u "$FARFIELD_HOME/demo/asked" | sed 's/.* //' | sort -n >"$FARFIELD_HOME/demo/asked-at"
    times_of_tasks | awk -v asked="$(paste -s -d ' ' "$FARFIELD_HOME/demo/asked-at")" '
        function row(text, s) { printf "  %-58s %9.2f s  %5.1f %%\n", text, s, 100 * s / total }
        {
            total += $1 / 1000; run += $2 / 1000
            slurm += $3 > $4 ? $3 - $4 : 0
            if (NR == 1 || $5 > last_start) last_start = $5
            if (NR == 1 || $6 < first_end) first_end = $6
            accepted[NR] = $7
        }
        END {
            n = split(asked, at, " ")
            printf "  Each second task needs another node. Jobs were asked for"
            for (i = 1; i <= n && 2 * i <= NR; i++)
                printf "%s %.0f", (i > 1 ? "," : ""), 1000 * (at[i] - accepted[2 * i - 1])
            print " ms after them."
            if (first_end > last_start) printf "  All %d GPUs were busy at once for %.1f s.\n", NR, first_end - last_start
            total /= NR; run /= NR; slurm /= NR
            row("the reconstruction itself (mean of all)", run)
            row("Slurm: until the job of its node began", slurm)
            row("everything else", total - run - slurm)
            row("submission to stored result", total)
        }'
}

# Whatever of the endpoint is left anywhere; silent when nothing is.
whats_left() {
    local node file name
    squeue --noheader
    for node in n0 n1 n2 n3; do
        farfield gpu list --json --registry "$FARFIELD_HOME/gpus-$node" | grep -o '"free": *false' || true
    done
    for file in /proc/[0-9]*/environ; do
        name=$(cat "${file%/environ}/comm" 2>/dev/null || true)
        [[ $name == farfield-* && $name != farfield-servic* ]] || continue
        ! tr '\0' '\n' 2>/dev/null <"$file" | grep -qxF "FARFIELD_HOME=$FARFIELD_HOME" || say "${file//[^0-9]/} $name"
    done
    ls -A "$FARFIELD_HOME/endpoints/elastic/blocks" "$FARFIELD_HOME/endpoints/elastic/tasks" | grep -v -e ':$' -e '^$' || true
}

demo_on_slurm() {
    local number left
    title "A Slurm of four nodes, each with two pretend GPUs"
    bring_up_cluster

    title "A service, and an endpoint that takes its nodes from Slurm"
    try service start
    started_service=yes
    # The time at which each job begins is kept, to tell Slurm's share from ours.
    try endpoint configure elastic --provider slurm --slots 2 --set gpus_per_node=2 --set exclusive=true \
        --set init_blocks=0 --set max_blocks=4 --set idle_block_s=2 --set walltime=30m --set agent_host=127.0.0.1 \
        --set "gpu_registry=$FARFIELD_HOME/gpus-%n" \
        --set "worker_init=date +%s.%N >\"\$FARFIELD_HOME/demo/began-\$SLURMD_NODENAME\""
    try endpoint start elastic
    started_endpoint=elastic
    register_reconstruct
    say "The endpoint is idle: $(survey)."

    title "Eight reconstructions of a measured scan, each with a GPU to itself"
    shown run "$id" --endpoint elastic --gpus 1 --args "$(scan_arguments "$FARFIELD_HOME/demo/1.h5" ', "epochs": 100')" \
        --detach
    begin=$EPOCHREALTIME
    for ((number = 1; number <= count; number++)); do
        submit elastic "$(scan_arguments "$FARFIELD_HOME/demo/$number.h5" ', "epochs": 100')" --gpus 1
        note_blocks
    done
    watch_endpoint "tasks: $count run, 0 wait"
    try endpoint status elastic
    shown gpu list --registry "$FARFIELD_HOME/gpus-n3"
    farfield gpu list --registry "$FARFIELD_HOME/gpus-n3"
    watch_endpoint "tasks: 0 run, 0 wait"

    title "The nodes are given back"
    watch_endpoint "jobs: 0; nodes: 0,"

    title "Where the time went"
    figures
    tasks=()
    if [ $keep = no ]; then
        try endpoint stop elastic
        started_endpoint=
        left=$(whats_left)
        [ -z "$left" ] || die "this is left: $left"
        say "Nothing is left: no job, no process of the endpoint or of a node, no lease of a GPU, no file."
    fi
}
