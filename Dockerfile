# Builds and runs Trawl:
#   docker build -t trawl . && docker run --init --read-only --tmpfs /tmp -p 8000:8000 -v trawl:/srv/trawl/var trawl

FROM python:3.13.9-slim-bookworm@sha256:b685a4fa58bb19d1814d78a1ec0f0208f351452724f78b20212c984d6e124a34 AS build
WORKDIR /srv/trawl
# The lock file alone, so that a change of the code does not install everything again.
COPY requirements.lock .
# With hashes: what is installed is what was locked, byte for byte.
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock

# The tests, on the embedded servers: docker build --target test -t trawl-test . && docker run --rm trawl-test
FROM build AS test
COPY requirements-dev.lock .
RUN .venv/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r requirements-dev.lock \
    && useradd --system --uid 10001 --create-home trawl && chown trawl:trawl /srv/trawl
COPY --chown=trawl:trawl . .
USER 10001
ENV PATH=/srv/trawl/.venv/bin:$PATH
CMD ["python", "-m", "pytest"]

FROM python:3.13.9-slim-bookworm@sha256:b685a4fa58bb19d1814d78a1ec0f0208f351452724f78b20212c984d6e124a34 AS serve
WORKDIR /srv/trawl
# It runs with a read-only root and writes to var and /tmp only. The embedded PostgreSQL refuses to run as root.
# The folder is made here, so that a volume on it belongs to the user.
RUN useradd --system --uid 10001 --no-create-home trawl && install -d -o trawl -g trawl var
COPY --from=build /srv/trawl/.venv .venv
# By name: no .env, no ./var and no history of a working copy can get into the image.
COPY *.py alembic.ini logs.txt ./
COPY api api
COPY clients clients
COPY commands commands
COPY config config
COPY db db
COPY embedded embedded
COPY migrations migrations
COPY server server
COPY service service
COPY telemetry telemetry
COPY transport transport
RUN .venv/bin/python -m compileall -q api clients commands config db embedded server service telemetry transport ./*.py
USER 10001
# Inside a container, 127.0.0.1 can't be reached from outside; PATH makes `python` the one with the packages.
ENV HOST=0.0.0.0 PORT=8000 PATH=/srv/trawl/.venv/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8000
VOLUME /srv/trawl/var
# The image has no curl. This asks the server on the address of the settings.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-m", "commands.ready"]
# As a list, so that Python gets SIGTERM and no shell does. It drains for 10 s: `docker stop -t 20`.
CMD ["python", "main.py"]
