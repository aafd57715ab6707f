# The zone program as WeCom's console takes it. Build it with `wwspec image`, which also exports the flat root
# file system that the console wants.
#
# - The base must bring CPython 3.12: the vendor's module loads on no other Python from 3.7 up. With its digest
#   (NAME:TAG@sha256:...) two builds start from the same files: a tag is moved with every fix of the base.
# - No ENV here: the platform starts the exported file system as `docker exec` would, `/bin/bash /app/run.sh`,
#   and may drop each of them. run.sh sets what the program needs.
# - No USER here: an exported file system carries none. The program asks for no rights beyond port 8080, which
#   any user may open, and a writable /app/var.
ARG BASE_IMAGE=python:3.12-slim-bookworm

FROM ${BASE_IMAGE} AS builder
WORKDIR /app
# For pip, while it builds only: a mirror, and one without a certificate.
ARG PIP_INDEX_URL=
ARG PIP_TRUSTED_HOST=
COPY requirements/run.txt requirements/run.txt
# The environment gets no pip of its own: the builder's installs into it.
RUN python3 -m venv --without-pip .venv \
    && python3 -m pip --python .venv/bin/python install \
        --no-cache-dir --only-binary :all: --require-hashes --requirement requirements/run.txt
COPY wwspec_router wwspec_router
COPY abilities abilities
# The application's own contracts: leave this line out when there is no such folder.
COPY schemas schemas
# Byte code that is taken as it is: an image's sources never change, while their times may on the way to the zone.
RUN .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash -x '^\./\.venv/' . \
    && rm -r requirements \
    && mkdir var
COPY sdk sdk
COPY run.sh run.sh

FROM ${BASE_IMAGE}
COPY --from=builder /app /app
WORKDIR /app
EXPOSE 8080
CMD ["/bin/bash", "/app/run.sh"]
