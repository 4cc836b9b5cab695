# A box or a desk in a container: wheel built once, dependencies from the hash lock of the extra that is named, no
# compiler and no root at run time.
#   docker build -t sitewarden . && docker run --rm sitewarden check demo
#   docker build -t sitewarden-desk --build-arg EXTRA=desk .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG EXTRA=box

FROM ${PYTHON_IMAGE} AS wheel
WORKDIR /src
COPY requirements-build.lock ./
RUN python -m venv /opt/build
RUN /opt/build/bin/python -m pip install --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY config ./config
COPY contract ./contract
COPY docking ./docking
COPY drivers ./drivers
COPY regulator ./regulator
COPY screens ./screens
COPY vision ./vision
COPY gateway ./gateway
COPY kit ./kit
COPY sitewarden ./sitewarden
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels /src

FROM ${PYTHON_IMAGE} AS environment
ARG EXTRA
WORKDIR /install
COPY requirements-box.lock requirements-desk.lock ./
RUN python -m venv /opt/sitewarden
RUN /opt/sitewarden/bin/python -m pip install --require-hashes --requirement requirements-${EXTRA}.lock
COPY --from=wheel /wheels /wheels
RUN /opt/sitewarden/bin/python -m pip install --no-index --no-deps --find-links /wheels sitewarden

FROM ${PYTHON_IMAGE} AS runtime
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/sitewarden/bin:$PATH
RUN groupadd --system --gid 10001 sitewarden \
    && useradd --system --uid 10001 --gid sitewarden --home-dir /var/lib/sitewarden --shell /usr/sbin/nologin sitewarden \
    && install --directory --owner sitewarden --group sitewarden --mode 0750 /var/lib/sitewarden \
    && install --directory --mode 0755 /etc/sitewarden
COPY --from=environment /opt/sitewarden /opt/sitewarden
COPY LICENSE NOTICE /usr/share/doc/sitewarden/
USER sitewarden
WORKDIR /var/lib/sitewarden
VOLUME ["/var/lib/sitewarden", "/etc/sitewarden"]
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["sitewarden"]
CMD ["run", "/etc/sitewarden/site.yaml"]
