# One image for the services, the site and provisioning. The first stage builds; its tools are not in the second one.
# Dependencies are those of requirements.image.lock, checked by hash, as wheels: nothing is compiled here.

ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv /opt/ama
COPY requirements.image.lock ./
RUN /opt/ama/bin/pip install --require-hashes --only-binary :all: -r requirements.image.lock
COPY . .
RUN /opt/ama/bin/pip install --no-deps --no-build-isolation --no-index . \
 && /opt/ama/bin/pip uninstall --yes setuptools pip \
 && find /opt/ama -type d -name tests -prune -exec rm -rf {} +

FROM ${PYTHON}
COPY --from=build /opt/ama /opt/ama
ENV PATH=/opt/ama/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Machine code of the formation engine, for any processor of the architecture. Where the folder is read-only, the engine copies it to /tmp.
ENV NUMBA_CACHE_DIR=/var/cache/ama NUMBA_CPU_NAME=generic
RUN mkdir /var/cache/ama && python -m grouping.formation
USER 1000:1000
ENTRYPOINT ["ama"]
CMD ["--help"]
