# Chirpy's image: app.py and what it needs, for `docker compose --profile app up` or any other engine.
# Give `docker run` a `--stop-timeout 20`: docker's own 10 seconds cut off requests under way.

ARG PYTHON=3.11
# 3.11 because the tests run on it; every pinned package has wheels for 3.13 and 3.14 as well.

FROM python:${PYTHON}-slim AS build
WORKDIR /srv/chirpy
COPY requirements.txt ./
# pip stays behind in this stage: what serves needs none. Wheels only, so that a package that has
# none for this platform is named here, rather than asking for a compiler. Bytecode is written now,
# for a fast start, and need not be compared with its source (unchecked-hash): neither can change.
RUN python -m venv --without-pip /venv \
    && pip --python /venv install --no-cache-dir --no-compile --only-binary :all: -r requirements.txt \
    && python -m compileall -q --invalidation-mode unchecked-hash /venv
COPY app.py ./
COPY chirpy/ chirpy/
COPY migrations/ migrations/
RUN python -m compileall -q --invalidation-mode unchecked-hash .

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="chirpy" \
      org.opencontainers.image.description="A microblog API with a webhook endpoint that loses nothing and repeats nothing"
# DONTWRITEBYTECODE: it is there already, and the user below may not write.
# UNBUFFERED: a log line is seen when it is written, also the last one before a crash.
# HOST: a container's own loopback can't be reached from outside; what may reach it is decided by `-p`.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8080
WORKDIR /srv/chirpy
COPY --from=build /venv /venv
COPY --from=build /srv/chirpy ./
# A number, so that Kubernetes' runAsNonRoot can tell it isn't root. It owns nothing here.
USER 10001:10001
EXPOSE 8080
# Whether the process answers, not whether its database does: restarting Chirpy would not mend that.
# Straight to the port, past any HTTP_PROXY; slim images have no curl.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, sys; from http.client import HTTPConnection; api = HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=3); api.request('GET', '/api/healthz'); sys.exit(api.getresponse().status != 200)"]
# Finish the requests under way, for up to 15 seconds, then leave.
STOPSIGNAL SIGTERM
CMD ["python", "app.py"]
