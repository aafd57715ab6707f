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
# The framework's C file is compiled here. Without a compiler, or with WWSPEC_PURE=1, the image works all the same.
ARG WWSPEC_PURE=
# hadolint ignore=DL3008,DL3015
RUN command -v gcc || [ -n "$WWSPEC_PURE" ] \
    || { apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev; } \
    || echo "no compiler: this image runs without the compiled part"
WORKDIR /app
# For pip, while it builds only: a mirror, and one without a certificate.
ARG PIP_INDEX_URL=
ARG PIP_TRUSTED_HOST=
COPY requirements/build.txt requirements/run.txt /source/requirements/
# The environments get no pip of their own: the builder's installs into them.
RUN for name in /app/.venv:run /build:build; do \
        python3 -m venv --without-pip "${name%:*}" \
        && python3 -m pip --python "${name%:*}/bin/python" install --no-cache-dir --only-binary :all: \
            --require-hashes --requirement "/source/requirements/${name#*:}.txt" || exit; \
    done
COPY . /source
RUN python3 -m pip --python /build/bin/python wheel --no-cache-dir --no-index --no-deps --no-build-isolation \
        --wheel-dir /build/wheels /source /source/packages/contracts \
    && python3 -m pip --python .venv/bin/python install --no-cache-dir --no-index --no-deps --no-compile \
        /build/wheels/*.whl
# What nobody reads in the zone: uvloop's symbols for a debugger, where there is a strip, and pycryptodome's tests of itself.
RUN if command -v strip; then find .venv -path '*/uvloop/*.so' -exec strip --strip-unneeded {} +; fi \
    && rm -rf .venv/lib/python3*/site-packages/Crypto/SelfTest
COPY abilities abilities
# The application's own contracts: leave this line out when there is no such folder.
COPY schemas schemas
# Byte code that is taken as it is: an image's sources never change, while their times may on the way to the zone.
RUN .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash -x '^\./\.venv/' . \
        .venv/lib/python3*/site-packages/wwspec_* \
    && mkdir var
COPY sdk sdk
COPY run.sh run.sh

FROM ${BASE_IMAGE}
COPY --from=builder /app /app
WORKDIR /app
EXPOSE 8080
CMD ["/bin/bash", "/app/run.sh"]
