# vek1-api, with sentence-transformers for bge-m3 inside. Name the index of torch's CPU builds
# with `--build-arg TORCH_INDEX=…` (the default one serves CUDA builds of several GB), or leave
# torch out and run an embedding server beside it: `--build-arg EMBEDDINGS=remote`. Without
# `--build-arg OCR=none` it reads photographed receipts, too.

FROM python:3.11-slim-bookworm AS build
ARG EMBEDDINGS=local
ARG OCR=local
ARG TORCH_INDEX
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv .venv
COPY requirements/ requirements/
RUN .venv/bin/pip install -r requirements/base.txt \
    && if [ "$EMBEDDINGS" = local ]; then \
         .venv/bin/pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
           -r requirements/sentence-transformers.txt; \
       fi \
    && if [ "$OCR" = local ]; then .venv/bin/pip install -r requirements/ocr.txt; fi
COPY pyproject.toml README.md ./
COPY src/ src/
# Migrations and the init script are looked up beside `src`, so the package stays in place.
RUN .venv/bin/pip install --no-deps --editable .

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 vek1
WORKDIR /app
COPY --from=build /app /app
COPY alembic.ini ./
COPY migrations/ migrations/
COPY init/ init/
COPY scripts/ scripts/
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VEK1_ENVIRONMENT=production \
    VEK1_HOST=0.0.0.0 \
    VEK1_DATA_DIR=/tmp/vek1
USER vek1
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
ENTRYPOINT ["vek1-api"]
CMD ["api"]
