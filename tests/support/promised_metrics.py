"""The metrics that operators' rules and dashboards are written against: renaming one is a breaking change.

Knows:     their names; every source of them is tested against this one list.
Runs in:   the test process.
"""

PROMISED = {
    "hybridd_build_info",
    "hybridd_workers",
    "hybridd_worker_restarts_total",
    "hybridd_worker_resident_memory_bytes",
    "hybridd_worker_cpu_seconds_total",
    "hybridd_worker_heartbeat_timestamp_seconds",
    "hybridd_worker_open_fds",
    "hybridd_connections",
    "hybridd_connections_accepted_total",
    "hybridd_connections_closed_total",
    "hybridd_http_requests_total",
    "hybridd_http_request_duration_seconds",
    "hybridd_http_queue_wait_seconds",
    "hybridd_http_requests_rejected_total",
    "hybridd_network_receive_bytes_total",
    "hybridd_network_transmit_bytes_total",
    "hybridd_handler_slots",
    "hybridd_handoffs_total",
    "hybridd_listener_accept_queue",
    "hybridd_listener_accept_queue_limit",
    "hybridd_config_last_reload_successful",
    "hybridd_config_last_reload_success_timestamp_seconds",
    "hybridd_degraded",
    "hybridd_application_metrics_series",
    "hybridd_application_metrics_dropped",
    "hybridd_application_metrics_collect_duration_seconds",
    "hybridd_metrics_collect_duration_seconds",
}
