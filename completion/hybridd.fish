# Completion of hybridd for fish.  Made by make docs from the source; do not change it here.
# Its place is /usr/share/fish/vendor_completions.d/hybridd.fish, or ~/.config/fish/completions.

function __hybridd_command --description 'Whether the command is one of these; without any: whether there is none yet'
    set -l words (commandline -opc)
    if test (count $argv) -eq 0
        test (count $words) -eq 1
    else
        test (count $words) -gt 1; and contains -- $words[2] $argv
    end
end

function __hybridd_settings --description 'KEY= and, behind that, what the setting takes'
    if string match -q -- '*=*' (string replace -r -- '^--set=' '' (commandline -ct))
        printf '%s\n' factory=true factory=false preload=true preload=false trusted_proxies=none forwarded=x-forwarded forwarded=forwarded forwarded=off forwarded_fields=for forwarded_fields=proto forwarded_fields=host forwarded_fields=port forwarded_fields=prefix admin=off application_metrics=true application_metrics=false control=auto control=off pattern=serial pattern=process pattern=thread pattern=prefork pattern=pool pattern=reactor pattern=hybrid workers=auto dispatch=serial dispatch=fork dispatch=thread dispatch=pool dispatch=reactor dispatch=hybrid handlers=auto handlers=inline handlers=threads daemon=true daemon=false no_new_privs=true no_new_privs=false umask=inherit tls.certificates=none tls.keys=none tls.client_certificates=off tls.client_certificates=optional tls.client_certificates=required timeouts.keep_alive=off timeouts.handler=off timeouts.stuck=off limits.underscores=drop limits.underscores=refuse recycle.max_requests=off recycle.max_age=off recycle.max_rss=off recycle.memory=rss recycle.memory=pss log.level=debug log.level=info log.level=warning log.level=error log.format=text log.format=json access_log.file=off access_log.format=combined access_log.format=json
    else
        printf '%s\n' application= factory= protocol= preload= chdir= listen= trusted_proxies= forwarded= forwarded_fields= backlog= admin= admin_hosts= application_metrics= control= pattern= workers= dispatch= threads= handlers= daemon= pid_file= user= group= no_new_privs= umask= tls.certificates= tls.keys= tls.minimum_version= tls.ciphers= tls.client_certificates= tls.client_ca= timeouts.head= timeouts.handshake= timeouts.body= timeouts.keep_alive= timeouts.write= timeouts.queue= timeouts.handler= timeouts.stuck= timeouts.linger= timeouts.graceful= timeouts.boot= timeouts.worker= limits.request_line= limits.headers= limits.header_bytes= limits.underscores= limits.body= limits.body_memory= limits.body_rate= limits.connections= limits.address_connections= limits.address_rate= limits.connection_threads= limits.connection_processes= limits.queue= limits.response_rate= limits.spool= limits.response_memory= limits.response_spool= limits.application_series= reload.settle= reload.surge= recycle.max_requests= recycle.max_requests_jitter= recycle.max_age= recycle.max_rss= recycle.memory= recycle.max_unavailable= shutdown.drain_delay= shutdown.idle_grace= shutdown.linger= crash.restarts= crash.window= crash.backoff_max= log.level= log.format= log.file= access_log.file= access_log.format=
    end
end

complete -c hybridd -f
complete -c hybridd -n __hybridd_command -s h -l help -d 'this help'
complete -c hybridd -n __hybridd_command -s V -l version -d 'versions'
complete -c hybridd -n __hybridd_command -a run -d 'serve an application'
complete -c hybridd -n __hybridd_command -a check -d 'say everything that is wrong with a configuration'
complete -c hybridd -n __hybridd_command -a print-config -d 'print every setting with its value and where it comes from'
complete -c hybridd -n __hybridd_command -a health -d 'ask a running hybridd whether it is ready'
complete -c hybridd -n __hybridd_command -a status -d 'show how a running hybridd is, or what its workers died of'
complete -c hybridd -n __hybridd_command -a top -d 'watch the workers of a running hybridd, with keys for the verbs'
complete -c hybridd -n __hybridd_command -a reload -d 'take the newest configuration and code, and wait for the verdict'
complete -c hybridd -n __hybridd_command -a scale -d 'change the number of workers'
complete -c hybridd -n __hybridd_command -a worker -d 'replace one worker: worker restart SLOT'
complete -c hybridd -n __hybridd_command -a upgrade -d 'replace the whole process by what is installed now, and wait for the verdict'
complete -c hybridd -n __hybridd_command -a drain -d 'stop gracefully and wait for the end'
complete -c hybridd -n __hybridd_command -a stop -d 'stop, and cut what does not end in time'
complete -c hybridd -n __hybridd_command -a reopen-logs -d 'open the log files again'
complete -c hybridd -n __hybridd_command -a stacks -d 'show where every thread of the workers stands'
complete -c hybridd -n __hybridd_command -a compare -d 'measure the patterns side by side'
complete -c hybridd -n '__hybridd_command worker' -a restart
complete -c hybridd -n '__hybridd_command run check print-config health status top reload scale worker upgrade drain stop reopen-logs stacks compare' -s c -l config -r -F -d 'a YAML file, or a directory whose *.yaml are read in order; repeatable, later ones win (default: none)'
complete -c hybridd -n '__hybridd_command run check print-config health status top reload scale worker upgrade drain stop reopen-logs stacks compare' -l set -x -a '(__hybridd_settings)' -d 'any setting, such as limits.body=1GiB; docs/settings.md and hybridd print-config know them all'
complete -c hybridd -n '__hybridd_command run check print-config health status top reload scale worker upgrade drain stop reopen-logs stacks compare' -s h -l help -d 'this help'
complete -c hybridd -n '__hybridd_command run check print-config compare' -l factory -d 'The CALLABLE makes the application: it is called once per worker, without arguments'
complete -c hybridd -n '__hybridd_command run check print-config' -l protocol -x -d 'Serve a raw TCP protocol instead of HTTP: FACTORY makes an asyncio.Protocol per connection'
complete -c hybridd -n '__hybridd_command run check print-config' -l preload -d 'Load the application once, in a fork server, and fork the workers from it: they share its memory and start at once'
complete -c hybridd -n '__hybridd_command run check print-config compare' -l chdir -x -a '(__fish_complete_directories)' -d 'The directory that every worker enters before it loads the application'
complete -c hybridd -n '__hybridd_command run check print-config' -l bind -s b -l listen -x -d 'The addresses to serve on: HOST:PORT, [IPV6]:PORT, unix:/path, fd:N (inherited), systemd:NAME (socket unit); repeatable (default 0.0.0.0:8080)'
complete -c hybridd -n '__hybridd_command run check print-config' -l backlog -x -d 'How many connections may wait to be accepted, per address (default 2048)'
complete -c hybridd -n '__hybridd_command run check print-config health' -l admin -x -a 'off' -d 'The address of /metrics, /healthz, /readyz and /status; off for none (default 127.0.0.1:9815)'
complete -c hybridd -n '__hybridd_command run check print-config status top reload scale worker upgrade drain stop reopen-logs stacks' -l control -r -F -d 'The unix socket (mode 0600) that hybridd reload, scale, stop and the other verbs talk to; auto: hybridd.ctl in $RUNTIME_DIRECTORY when systemd sets that, else off (default auto)'
complete -c hybridd -n '__hybridd_command run check print-config' -l certfile -r -F -d 'The certificates, each a PEM file with the certificate, then those of the authorities between it and a root; repeatable (default none)'
complete -c hybridd -n '__hybridd_command run check print-config' -l keyfile -r -F -d 'The private keys, in the order of the certificates; none: they stand in the same files; repeatable (default none)'
complete -c hybridd -n '__hybridd_command run check print-config' -l ciphers -x -d 'The ciphers of TLS 1.2; those of 1.3 are all good and not chosen here (default ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305)'
complete -c hybridd -n '__hybridd_command run check print-config' -l ca-certs -r -F -d 'The authorities whose certificates clients may show, in one PEM file'
complete -c hybridd -n '__hybridd_command run check print-config' -l pattern -s k -l worker-class -x -a 'serial process thread prefork pool reactor hybrid' -d 'How connections are dealt to processes and threads: a name for workers and dispatch (default hybrid)'
complete -c hybridd -n '__hybridd_command run check print-config' -l workers -s w -x -a 'auto' -d 'The number of worker processes, in place of the pattern\'s; auto: one per CPU that hybridd may use (affinity, cgroup quota) (default auto)'
complete -c hybridd -n '__hybridd_command run check print-config' -l dispatch -x -a 'serial fork thread pool reactor hybrid' -d 'What a worker does with a connection, in place of the pattern\'s (default hybrid)'
complete -c hybridd -n '__hybridd_command run check print-config' -l threads -x -d 'How many requests (with dispatch pool: connections) of one worker the application may work on at once (default 32)'
complete -c hybridd -n '__hybridd_command run check print-config' -l handlers -x -a 'auto inline threads' -d 'With dispatch hybrid, where handlers run (default auto)'
complete -c hybridd -n '__hybridd_command run check print-config' -l timeout -s t -x -d 'How long a worker may show no sign of life; it shows one every second (default 30s)'
complete -c hybridd -n '__hybridd_command run check print-config' -l graceful-timeout -x -d 'How long a worker may finish its requests when it is stopped or replaced (default 30s)'
complete -c hybridd -n '__hybridd_command run check print-config' -l keep-alive -x -a 'off' -d 'How long an idle connection stays open for the next request; off: every answer closes its connection (default 75s)'
complete -c hybridd -n '__hybridd_command run check print-config' -l daemon -s D -d 'Leave the terminal and go on in the background; the command returns when hybridd is ready, or with its error'
complete -c hybridd -n '__hybridd_command run check print-config' -l pid-file -s p -l pid -r -F -d 'Where the master writes its process id once it is ready; removed at the end'
complete -c hybridd -n '__hybridd_command run check print-config' -l user -s u -x -d 'The user to become once the sockets are bound, with all groups of that user, for which hybridd must be started as root; and started as root, it must be told: root is a user that can be named, too'
complete -c hybridd -n '__hybridd_command run check print-config' -l group -s g -x -d 'The group to run as, in place of the user\'s own'
complete -c hybridd -n '__hybridd_command run check print-config' -l umask -s m -x -a 'inherit' -d 'The permissions that new files and unix sockets, of hybridd and of the application, never have; inherit: as whoever starts hybridd has it (default inherit)'
complete -c hybridd -n '__hybridd_command run check print-config' -l log-level -x -a 'debug info warning error' -d 'The least important messages that are logged (default info)'
complete -c hybridd -n '__hybridd_command run check print-config' -l log-file -l error-logfile -r -F -d 'Where the log goes (default -)'
complete -c hybridd -n '__hybridd_command run check print-config' -l access-log -l access-logfile -r -F -d 'Where the access log goes (default -)'
complete -c hybridd -n '__hybridd_command check' -l strict -d 'refuse also what is legal but unwise on this machine'
complete -c hybridd -n '__hybridd_command check' -l load -d 'load the application too, in a process of its own'
complete -c hybridd -n '__hybridd_command print-config' -l json -d 'print JSON: the configuration, and origins by key'
complete -c hybridd -n '__hybridd_command health' -l live -d 'ask /healthz: is the master alive, ready or not'
complete -c hybridd -n '__hybridd_command health' -l timeout -x -d 'how long to wait (2s)'
complete -c hybridd -n '__hybridd_command status reload scale worker upgrade drain stop reopen-logs stacks' -l json -d 'print the answer as JSON'
complete -c hybridd -n '__hybridd_command status' -l deaths -d 'what the workers died of'
complete -c hybridd -n '__hybridd_command top' -s d -l delay -x -d 'between two looks (1)'
complete -c hybridd -n '__hybridd_command top' -l once -d 'print the figures of one interval as text'
complete -c hybridd -n '__hybridd_command top' -l json -d 'print the figures of one interval as JSON'
complete -c hybridd -n '__hybridd_command top' -l admin -x -d 'ask this admin address, not the control socket: read-only'
complete -c hybridd -n '__hybridd_command reload' -l timeout -x -d 'how long to wait at most (default: until there is a verdict)'
complete -c hybridd -n '__hybridd_command scale' -l timeout -x -d 'how long to wait at most (default: until they serve or cannot)'
complete -c hybridd -n '__hybridd_command worker' -l timeout -x -d 'how long to wait at most (default: until another one serves)'
complete -c hybridd -n '__hybridd_command upgrade' -l timeout -x -d 'how long to wait at most (default: until the old master has left)'
complete -c hybridd -n '__hybridd_command drain' -l timeout -x -d 'how long to wait at most (default: until it is over)'
complete -c hybridd -n '__hybridd_command stop' -l timeout -x -d 'how long to wait at most (default: timeouts.graceful decides; 0: at once)'
complete -c hybridd -n '__hybridd_command compare' -l patterns -x -d 'default: serial,process,thread,prefork,pool,reactor,hybrid'
complete -c hybridd -n '__hybridd_command compare' -l duration -x -d 'how long to put load on each pattern (default 4s)'
complete -c hybridd -n '__hybridd_command compare' -l concurrency -x -d 'connections of that load (default 16)'
complete -c hybridd -n '__hybridd_command compare' -l sleep -x -d 'how long handlers of the demonstration sleep (default 1s)'
complete -c hybridd -n '__hybridd_command compare' -l clients -x -d 'clients of the demonstration (default 3)'
complete -c hybridd -n '__hybridd_command compare' -l workers -x -d 'workers of the patterns that have several (default 3)'
complete -c hybridd -n '__hybridd_command compare' -l load -x -a 'own wrk' -d 'who makes the load: hybridd\'s own client, or wrk (default own)'
complete -c hybridd -n '__hybridd_command compare' -l path -r -F -d 'what the load asks for (default /)'
complete -c hybridd -n '__hybridd_command compare' -l sleep-path -r -F -d 'a route that sleeps as long as --sleep says, or {} in it'
complete -c hybridd -n '__hybridd_command compare' -l crash-path -r -F -d 'a route that kills its process, after {} seconds if {} is in it'
complete -c hybridd -n '__hybridd_command compare' -l report -r -F -d 'write a page with charts'
complete -c hybridd -n '__hybridd_command compare' -l json -r -F -d 'write all figures as JSON'
