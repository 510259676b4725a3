# The image of Chirpy, for `docker compose --profile app up` or `docker run`.
# Use `docker run --stop-timeout 20`: with Docker's default of 10 seconds, a stop can interrupt requests.

ARG PYTHON=3.11
# The tests run on Python 3.11. All pinned packages also have wheels for 3.13 and 3.14.

FROM python:${PYTHON}-slim AS build
WORKDIR /srv/chirpy
COPY requirements.txt ./
# The venv has no pip, because the server does not need it. With --only-binary, a package without a
# wheel for this platform is an error that names it. Bytecode is compiled now, for a fast start. With
# unchecked-hash Python does not compare it with the source, which cannot change in an image.
RUN python -m venv --without-pip /venv \
    && pip --python /venv install --no-cache-dir --no-compile --only-binary :all: -r requirements.txt \
    && python -m compileall -q --invalidation-mode unchecked-hash /venv
COPY app.py ./
COPY chirpy/ chirpy/
COPY migrations/ migrations/
RUN python -m compileall -q --invalidation-mode unchecked-hash .

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="chirpy" \
      org.opencontainers.image.description="A microblog API with a webhook endpoint that loses no event and applies none twice"
# PYTHONDONTWRITEBYTECODE: the bytecode is compiled already, and the user below cannot write files.
# PYTHONUNBUFFERED: each log line appears immediately, also the last one before a crash.
# HOST, METRICS_HOST: port forwarding (-p) does not reach 127.0.0.1 in a container.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    METRICS_HOST=0.0.0.0 \
    PORT=8080
WORKDIR /srv/chirpy
COPY --from=build /venv /venv
COPY --from=build /srv/chirpy ./
# A number, because runAsNonRoot of Kubernetes cannot check a name. The user owns no file.
USER 10001:10001
EXPOSE 8080
# Check the process and not the database, because a restart of Chirpy cannot fix the database.
# The slim image has no curl, and HTTPConnection ignores HTTP_PROXY.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, sys; from http.client import HTTPConnection; api = HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=3); api.request('GET', '/api/healthz'); sys.exit(api.getresponse().status != 200)"]
# On SIGTERM the server finishes the requests in progress, within 15 seconds, and then ends.
STOPSIGNAL SIGTERM
CMD ["python", "app.py"]
