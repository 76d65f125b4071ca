"""An application that counts with prometheus_client, as it would on any server: metrics of every kind and mode.

``/inc?n=2``, ``/set?n=7``, ``/observe?n=0.3`` change them; ``/folder`` says where they are kept.
"""

import os
from urllib.parse import parse_qs

from prometheus_client import Counter, Gauge, Histogram, Summary

MODES = ("all", "liveall", "min", "livemin", "max", "livemax", "sum", "livesum", "mostrecent", "livemostrecent")

JOBS = Counter("shop_jobs", "Jobs done.", ["kind"])
GAUGES = {mode: Gauge(f"shop_{mode}_level", "A level.", multiprocess_mode=mode) for mode in MODES}
TIMES = Histogram("shop_time_seconds", "Times.", buckets=(0.1, 1.0))
SIZES = Summary("shop_size_bytes", "Sizes.")


def app(environ, start_response):
    n = float(parse_qs(environ["QUERY_STRING"]).get("n", ["1"])[0])
    match environ["PATH_INFO"]:
        case "/inc":
            JOBS.labels("mail").inc(n)
        case "/set":
            for gauge in GAUGES.values():
                gauge.set(n)
        case "/observe":
            TIMES.observe(n)
            SIZES.observe(n)
        case "/fail":
            raise RuntimeError("asked to")
        case "/clash":
            Counter("hybridd_workers", "The name is the server's.", registry=None).inc()
        case "/explode":
            for i in range(int(n)):
                JOBS.labels(f"kind {i}").inc()
    body = f"{os.getpid()} {os.environ.get('PROMETHEUS_MULTIPROC_DIR', '')}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
