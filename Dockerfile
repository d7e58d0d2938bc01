# One image, three commands: serve (the default), worker and migrate.
#   docker build -t crosswalk .
#   docker run --env-file hub.env crosswalk migrate
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/crosswalk
COPY requirements.lock ./
RUN /opt/crosswalk/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml hatch_build.py README.md LICENSE piccolo_conf.py ./
COPY app ./app
COPY graphql/operations ./graphql/operations
COPY jobs ./jobs
COPY portal ./portal
COPY piccolo_migrations ./piccolo_migrations
RUN /opt/crosswalk/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim-bookworm
# A user with a name, so that the hub's own servers could run too; its data is a volume.
RUN useradd --uid 10001 --home-dir /var/lib/crosswalk --create-home crosswalk
COPY --from=build /opt/crosswalk /opt/crosswalk
ENV PATH=/opt/crosswalk/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CROSSWALK_HOST=0.0.0.0 \
    CROSSWALK_PORT=8000 \
    CROSSWALK_DATA_DIR=/var/lib/crosswalk/data
USER crosswalk
WORKDIR /var/lib/crosswalk
VOLUME /var/lib/crosswalk
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"CROSSWALK_PORT\"]}/health/live', timeout=2)"]
ENTRYPOINT ["crosswalk"]
CMD ["serve"]
