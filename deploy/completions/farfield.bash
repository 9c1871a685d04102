# bash completion for farfield: verbs, options, and the names of endpoints, functions and tasks.
# Installed as share/bash-completion/completions/farfield; or `source` it.

# The options of a verb, as its --help names them.
_farfield_options() {
    case $1 in
        'service start') echo --host --https-port --router-port --foreground ;;
        'service logs' | 'endpoint logs') echo --follow --lines ;;
        'endpoint configure') echo --provider --slots --set ;;
        'endpoint start') echo --foreground --take-over ;;
        'endpoint stop') echo --now ;;
        'endpoint restart') echo --now --take-over ;;
        'endpoint delete') echo --force ;;
        'endpoint doctor') echo --submit-test ;;
        'endpoint warm') echo --until ;;
        'function register') echo --native --shell --description ;;
        'run '*) echo --endpoint --args --gpus --cores --nodes --priority --time-limit --retries --detach --literal ;;
        'task list') echo --state --function --endpoint --limit --before ;;
        'task result') echo --no-wait ;;
        'task logs') echo --follow ;;
        'task preview') echo --output ;;
        'token create') echo --expires --scope ;;
        'reconstruct '*) echo --output --set --config --plan ;;
        'inspect '*) echo --orientation --set --config ;;
        'compare '*) echo --region --output --keep-hand ;;
        'simulate '*) echo --object --output --set ;;
        'doctor '*) echo --gpus ;;
        'bench reconstruct') echo --set --modes --threads --devices ;;
        'bench dispatch') echo --modes --tasks --calls --slots --idle-seconds ;;
    esac
    echo --json --help
}

_farfield_verbs() {
    case $1 in
        service) echo start stop status logs ;;
        endpoint) echo configure start stop restart status logs list delete doctor warm ;;
        function) echo register list show delete ;;
        task) echo list show watch result logs preview cancel stop ;;
        token) echo create list revoke ;;
        gpu) echo list ;;
        bench) echo fft reconstruct dispatch gpu-registry ;;
        '') echo service endpoint function run task token gpu doctor reconstruct inspect show compare simulate bench version help ;;
    esac
}

# First column of a table that `farfield` prints, without its header and what stands below; each name once.
_farfield_column() { farfield "$@" 2>/dev/null | awk 'NR > 1 && $1 != "and" && !seen[$1]++ { print $1 }'; }

# The settings of a program, as KEY=.
_farfield_settings() { farfield "$1" --help settings 2>/dev/null | sed -n 's/^  \([a-z][A-Za-z0-9_]*\) .*/\1=/p'; }

_farfield_endpoints() {
    local folder=${FARFIELD_HOME:-$HOME/.farfield}/endpoints
    [ ! -d "$folder" ] || ls -- "$folder"
}

# What an operand of the verb may be.
_farfield_operands() {
    case $1 in
        'endpoint start' | 'endpoint stop' | 'endpoint restart' | 'endpoint status' | 'endpoint logs' | \
            'endpoint delete' | 'endpoint doctor' | 'endpoint warm') _farfield_endpoints ;;
        'function show' | 'function delete') _farfield_column function list ;;
        'run '*) _farfield_column function list ;;
        'task show' | 'task watch' | 'task result' | 'task logs' | 'task preview' | 'task cancel' | 'task stop') _farfield_column task list ;;
    esac
}

_farfield() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local verb=${COMP_WORDS[1]} second=${COMP_WORDS[2]:-}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_farfield_verbs '') --help --version" -- "$word")
        return
    fi
    if [ "$COMP_CWORD" -eq 2 ] && [ -n "$(_farfield_verbs "$verb")" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_farfield_verbs "$verb") --help" -- "$word")
        return
    fi
    case "$verb $before" in
        'reconstruct --set' | 'simulate --set')
            compopt -o nospace 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -W "$(_farfield_settings "$verb")" -- "$word") && return
            ;;
        'inspect --set')
            compopt -o nospace 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -W "$(_farfield_settings reconstruct)" -- "$word") && return
            ;;
    esac
    case $before in
        --endpoint | -e) mapfile -t COMPREPLY < <(compgen -W "$(_farfield_endpoints)" -- "$word") && return ;;
        --function) mapfile -t COMPREPLY < <(compgen -W "$(_farfield_column function list)" -- "$word") && return ;;
        --provider) mapfile -t COMPREPLY < <(compgen -W local -- "$word") && return ;;
        --state)
            mapfile -t COMPREPLY < <(compgen -W "received waiting-for-ep waiting-for-nodes waiting-for-launch running
                success failed cancelled" -- "$word") && return
            ;;
        --modes) mapfile -t COMPREPLY < <(compgen -W 'cold single batch kill-runner idle' -- "$word") && return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_farfield_options "$verb $second")" -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$(_farfield_operands "$verb $second")" -- "$word")
    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

complete -o filenames -F _farfield farfield
