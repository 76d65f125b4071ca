# hybridd as a container: nothing is written at run time (a read-only root works), no root, exec form throughout.
#
#   docker build -t hybridd .
#   docker run --read-only --cap-drop=all -p 8080:8080 -p 127.0.0.1:9815:9815 hybridd
#
# With an application, and everything else: docs/deploy/docker.md.

ARG PY=3.13

# -- the wheel, and an environment that holds it and what it needs
FROM python:${PY}-slim AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/hybridd
COPY pyproject.toml README.md LICENSE ./
COPY hybridd hybridd
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && pip --python /opt/hybridd/bin/python install --no-cache-dir /wheels/*.whl

# -- what runs
FROM python:${PY}-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="hybridd" \
      org.opencontainers.image.description="A prefork hybrid server daemon for WSGI applications and raw TCP protocols" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
# A fixed number, so that volumes and runAsNonRoot checks can name it.
RUN groupadd --gid 10001 hybridd \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv --shell /usr/sbin/nologin hybridd
COPY --from=build /opt/hybridd /opt/hybridd
# What images on top of this one install with pip goes to a place of its own, and is found behind hybridd's own packages.
RUN install -d -o 10001 -g 10001 /opt/packages \
 && for site in /opt/hybridd/lib/python*/site-packages; do echo /opt/packages > "$site/packages.pth"; done
COPY config/container.yaml /etc/hybridd/hybridd.yaml
ENV PATH=/opt/hybridd/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_TARGET=/opt/packages PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv
USER 10001:10001
EXPOSE 8080 9815
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["hybridd", "health", "-c", "/etc/hybridd/hybridd.yaml"]
ENTRYPOINT ["hybridd"]
CMD ["run", "-c", "/etc/hybridd/hybridd.yaml"]
