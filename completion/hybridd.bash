# Completion of hybridd for bash.  Made by make docs from the source; do not change it here.
# Its place is /usr/share/bash-completion/completions/hybridd; a file that is sourced works as well.

_hybridd() {
    local at=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]} words=
    local prev=${COMP_WORDS[at-1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((at == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "run check print-config health status top reload scale worker upgrade drain stop reopen-logs stacks compare --help --version" -- "$cur")
        return
    fi
    # bash takes FLAG=VALUE and KEY=VALUE apart at the sign.
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        ((at--))
        prev=${COMP_WORDS[at-1]}
    fi
    [[ ${COMP_WORDS[at]} != "=" || ${COMP_WORDS[at-2]} != --set ]] || prev="--set $prev"
    case "$command $prev" in
        "run -c" | "run --config" | "run --control" | "run --certfile" | "run --keyfile" | "run --ca-certs" | "run --pid-file" | "run -p" | "run --pid" | "run --log-file" | "run --error-logfile" | "run --access-log" | "run --access-logfile" | "check -c" | "check --config" | "check --control" | "check --certfile" | "check --keyfile" | "check --ca-certs" | "check --pid-file" | "check -p" | "check --pid" | "check --log-file" | "check --error-logfile" | "check --access-log" | "check --access-logfile" | "print-config -c" | "print-config --config" | "print-config --control" | "print-config --certfile" | "print-config --keyfile" | "print-config --ca-certs" | "print-config --pid-file" | "print-config -p" | "print-config --pid" | "print-config --log-file" | "print-config --error-logfile" | "print-config --access-log" | "print-config --access-logfile" | "health -c" | "health --config" | "status -c" | "status --config" | "status --control" | "top -c" | "top --config" | "top --control" | "reload -c" | "reload --config" | "reload --control" | "scale -c" | "scale --config" | "scale --control" | "worker -c" | "worker --config" | "worker --control" | "upgrade -c" | "upgrade --config" | "upgrade --control" | "drain -c" | "drain --config" | "drain --control" | "stop -c" | "stop --config" | "stop --control" | "reopen-logs -c" | "reopen-logs --config" | "reopen-logs --control" | "stacks -c" | "stacks --config" | "stacks --control" | "compare -c" | "compare --config" | "compare --path" | "compare --sleep-path" | "compare --crash-path" | "compare --report" | "compare --json")
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            ;;
        "run --set" | "check --set" | "print-config --set" | "health --set" | "status --set" | "top --set" | "reload --set" | "scale --set" | "worker --set" | "upgrade --set" | "drain --set" | "stop --set" | "reopen-logs --set" | "stacks --set" | "compare --set")
            compopt -o nospace
            mapfile -t COMPREPLY < <(compgen -W "application= factory= protocol= preload= chdir= listen= trusted_proxies= forwarded= forwarded_fields= backlog= admin= admin_hosts= application_metrics= control= pattern= workers= dispatch= threads= handlers= daemon= pid_file= user= group= no_new_privs= umask= tls.certificates= tls.keys= tls.minimum_version= tls.ciphers= tls.client_certificates= tls.client_ca= timeouts.head= timeouts.handshake= timeouts.body= timeouts.keep_alive= timeouts.write= timeouts.queue= timeouts.handler= timeouts.stuck= timeouts.linger= timeouts.graceful= timeouts.boot= timeouts.worker= limits.request_line= limits.headers= limits.header_bytes= limits.underscores= limits.body= limits.body_memory= limits.body_rate= limits.connections= limits.address_connections= limits.address_rate= limits.connection_threads= limits.connection_processes= limits.queue= limits.response_rate= limits.spool= limits.response_memory= limits.response_spool= limits.application_series= reload.settle= reload.surge= recycle.max_requests= recycle.max_requests_jitter= recycle.max_age= recycle.max_rss= recycle.memory= recycle.max_unavailable= shutdown.drain_delay= shutdown.idle_grace= shutdown.linger= crash.restarts= crash.window= crash.backoff_max= log.level= log.format= log.file= access_log.file= access_log.format=" -- "$cur")
            ;;
        "run --protocol" | "run --bind" | "run -b" | "run --listen" | "run --backlog" | "run --ciphers" | "run --threads" | "run --timeout" | "run -t" | "run --graceful-timeout" | "run --user" | "run -u" | "run --group" | "run -g" | "check --protocol" | "check --bind" | "check -b" | "check --listen" | "check --backlog" | "check --ciphers" | "check --threads" | "check --timeout" | "check -t" | "check --graceful-timeout" | "check --user" | "check -u" | "check --group" | "check -g" | "print-config --protocol" | "print-config --bind" | "print-config -b" | "print-config --listen" | "print-config --backlog" | "print-config --ciphers" | "print-config --threads" | "print-config --timeout" | "print-config -t" | "print-config --graceful-timeout" | "print-config --user" | "print-config -u" | "print-config --group" | "print-config -g" | "health --timeout" | "top -d" | "top --delay" | "top --admin" | "reload --timeout" | "scale --timeout" | "worker --timeout" | "upgrade --timeout" | "drain --timeout" | "stop --timeout" | "compare --patterns" | "compare --duration" | "compare --concurrency" | "compare --sleep" | "compare --clients" | "compare --workers")
            ;;
        "run --chdir" | "check --chdir" | "print-config --chdir" | "compare --chdir")
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$cur")
            ;;
        "run --admin" | "run --keep-alive" | "check --admin" | "check --keep-alive" | "print-config --admin" | "print-config --keep-alive" | "health --admin" | *" --set admin" | *" --set timeouts.keep_alive" | *" --set timeouts.handler" | *" --set timeouts.stuck" | *" --set recycle.max_requests" | *" --set recycle.max_age" | *" --set recycle.max_rss" | *" --set access_log.file")
            mapfile -t COMPREPLY < <(compgen -W "off" -- "$cur")
            ;;
        "run --pattern" | "run -k" | "run --worker-class" | "check --pattern" | "check -k" | "check --worker-class" | "print-config --pattern" | "print-config -k" | "print-config --worker-class" | *" --set pattern")
            mapfile -t COMPREPLY < <(compgen -W "serial process thread prefork pool reactor hybrid" -- "$cur")
            ;;
        "run --workers" | "run -w" | "check --workers" | "check -w" | "print-config --workers" | "print-config -w" | *" --set workers")
            mapfile -t COMPREPLY < <(compgen -W "auto" -- "$cur")
            ;;
        "run --dispatch" | "check --dispatch" | "print-config --dispatch" | *" --set dispatch")
            mapfile -t COMPREPLY < <(compgen -W "serial fork thread pool reactor hybrid" -- "$cur")
            ;;
        "run --handlers" | "check --handlers" | "print-config --handlers" | *" --set handlers")
            mapfile -t COMPREPLY < <(compgen -W "auto inline threads" -- "$cur")
            ;;
        "run --umask" | "run -m" | "check --umask" | "check -m" | "print-config --umask" | "print-config -m" | *" --set umask")
            mapfile -t COMPREPLY < <(compgen -W "inherit" -- "$cur")
            ;;
        "run --log-level" | "check --log-level" | "print-config --log-level" | *" --set log.level")
            mapfile -t COMPREPLY < <(compgen -W "debug info warning error" -- "$cur")
            ;;
        "compare --load")
            mapfile -t COMPREPLY < <(compgen -W "own wrk" -- "$cur")
            ;;
        *" --set factory" | *" --set preload" | *" --set application_metrics" | *" --set daemon" | *" --set no_new_privs")
            mapfile -t COMPREPLY < <(compgen -W "true false" -- "$cur")
            ;;
        *" --set trusted_proxies" | *" --set tls.certificates" | *" --set tls.keys")
            mapfile -t COMPREPLY < <(compgen -W "none" -- "$cur")
            ;;
        *" --set forwarded")
            mapfile -t COMPREPLY < <(compgen -W "x-forwarded forwarded off" -- "$cur")
            ;;
        *" --set forwarded_fields")
            mapfile -t COMPREPLY < <(compgen -W "for proto host port prefix" -- "$cur")
            ;;
        *" --set control")
            mapfile -t COMPREPLY < <(compgen -W "auto off" -- "$cur")
            ;;
        *" --set tls.client_certificates")
            mapfile -t COMPREPLY < <(compgen -W "off optional required" -- "$cur")
            ;;
        *" --set limits.underscores")
            mapfile -t COMPREPLY < <(compgen -W "drop refuse" -- "$cur")
            ;;
        *" --set recycle.memory")
            mapfile -t COMPREPLY < <(compgen -W "rss pss" -- "$cur")
            ;;
        *" --set log.format")
            mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur")
            ;;
        *" --set access_log.format")
            mapfile -t COMPREPLY < <(compgen -W "combined json" -- "$cur")
            ;;
        *)
            case $command in
                run) words="--config --set --help --factory --protocol --preload --chdir --bind --backlog --admin --control --certfile --keyfile --ciphers --ca-certs --pattern --workers --dispatch --threads --handlers --timeout --graceful-timeout --keep-alive --daemon --pid-file --user --group --umask --log-level --log-file --access-log" ;;
                check) words="--strict --load --config --set --help --factory --protocol --preload --chdir --bind --backlog --admin --control --certfile --keyfile --ciphers --ca-certs --pattern --workers --dispatch --threads --handlers --timeout --graceful-timeout --keep-alive --daemon --pid-file --user --group --umask --log-level --log-file --access-log" ;;
                print-config) words="--json --config --set --help --factory --protocol --preload --chdir --bind --backlog --admin --control --certfile --keyfile --ciphers --ca-certs --pattern --workers --dispatch --threads --handlers --timeout --graceful-timeout --keep-alive --daemon --pid-file --user --group --umask --log-level --log-file --access-log" ;;
                health) words="--live --timeout --config --set --help --admin" ;;
                status) words="--json --deaths --config --set --help --control" ;;
                top) words="--delay --once --json --admin --config --set --help --control" ;;
                reload) words="--json --timeout --config --set --help --control" ;;
                scale) words="--json --timeout --config --set --help --control" ;;
                worker) words="restart --json --timeout --config --set --help --control" ;;
                upgrade) words="--json --timeout --config --set --help --control" ;;
                drain) words="--json --timeout --config --set --help --control" ;;
                stop) words="--json --timeout --config --set --help --control" ;;
                reopen-logs) words="--json --config --set --help --control" ;;
                stacks) words="--json --config --set --help --control" ;;
                compare) words="--config --set --help --patterns --duration --concurrency --sleep --clients --workers --load --path --sleep-path --crash-path --factory --chdir --report --json" ;;
            esac
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
            ;;
    esac
}
complete -F _hybridd hybridd
