# The RAG API of ragbed, its mock LLM and its embedded Qdrant: one runtime, three commands.
#   docker build --target app .          (also: mock-llm, qdrant, devcontainer)
# Without a registry, scripts/build-images gives the base, the wheels and pip.
ARG BASE=python:3.13-slim-trixie

# What is installed: the packages of the lock, compiled once; pip stays outside.
FROM ${BASE} AS packages
ARG PIP="python3 -m pip --python /opt/ragbed"
ARG PIP_ARGS=
COPY requirements.image.lock wheels* /wheels/
RUN python3 -m venv --without-pip /opt/ragbed \
 && ${PIP} install --no-cache-dir --no-compile --disable-pip-version-check --root-user-action ignore \
      --only-binary :all: --require-hashes ${PIP_ARGS} --requirement /wheels/requirements.image.lock \
 && echo /opt/ragbed/source/python > "$(echo /opt/ragbed/lib/python3*/site-packages)/ragbed.pth" \
 && printf '#!/opt/ragbed/bin/python\nfrom ragbed.__main__ import run\n\nrun()\n' > /opt/ragbed/bin/ragbed \
 && chmod 755 /opt/ragbed/bin/ragbed \
 && find /opt/ragbed -name __pycache__ -prune -exec rm -r {} + \
 && /opt/ragbed/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/ragbed/lib

# Ragbed itself: a layer of its own, since it changes most often.
FROM ${BASE} AS source
COPY python /opt/ragbed/source/python
COPY models.fingerprints.json models.lock.json stack.toml /opt/ragbed/source/
COPY docs/golden /opt/ragbed/source/docs/golden
COPY docs/lessons /opt/ragbed/source/docs/lessons
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/ragbed/source/python

FROM ${BASE} AS runtime
RUN echo 'ragbed:x:1000:1000:ragbed:/var/lib/ragbed:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'ragbed:x:1000:' >> /etc/group \
 && echo 'A container image of ragbed: its servers listen on the network of the container.' > /etc/ragbed-image \
 && install --directory --owner 1000 --group 1000 /var/lib/ragbed /var/lib/ragbed/.ragbed /qdrant/storage
COPY --from=packages /opt/ragbed /opt/ragbed
COPY --from=source /opt/ragbed/source /opt/ragbed/source
ENV PATH=/opt/ragbed/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/ragbed \
    PYTHONDONTWRITEBYTECODE=1 \
    RAGBED_LISTEN=0.0.0.0
WORKDIR /var/lib/ragbed
USER ragbed

# The embedded Qdrant: a substitute, which says so in a header of every answer.
FROM runtime AS qdrant
LABEL dev.ragbed.substitute=embedded-qdrant
EXPOSE 6333
VOLUME /qdrant/storage
CMD ["ragbed", "qdrant", "serve", "--port", "6333", "--data", "/qdrant/storage", "--grpc-port", "0"]

# The mock LLM on Ollama's wire: a substitute too.
FROM runtime AS mock-llm
LABEL dev.ragbed.substitute=mock-llm
EXPOSE 11434
CMD ["ragbed", "llm", "serve", "--port", "11434"]

FROM runtime AS app
EXPOSE 3000
CMD ["ragbed", "serve", "--port", "3000"]

# For .devcontainer: the base with what a developer types, and nothing of ragbed, which the checkout brings.
FROM ${BASE} AS devcontainer
RUN apt-get update && apt-get install --yes --no-install-recommends git shellcheck && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home --shell /bin/bash ragbed
ENV RAGBED_VENV=/home/ragbed/venv
USER ragbed

# Without a target, the app is built.
FROM app
