# The page and the API in a container, for the processor alone. `docker compose up` starts it.
FROM python:3.12.12-slim-bookworm AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY matte ./matte
RUN python -m venv /opt/matte
RUN /opt/matte/bin/python -m pip install --no-cache-dir -c constraints.txt '.[serve]'

FROM python:3.12.12-slim-bookworm
COPY --from=build /opt/matte /opt/matte
# Nothing but /tmp has to be writable: pictures lie there, and what runtimes compile.
ENV HOME=/tmp MATTE_HOME=/tmp/matte PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["/opt/matte/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["/opt/matte/bin/matte", "serve", "--host", "0.0.0.0", "--port", "8000", "--new-token"]
