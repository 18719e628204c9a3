"""Names of platforms and products in a question: those we know by name, and words that look like names."""

from __future__ import annotations

import re

_KNOWN = frozenset(
    """
    airflow alpine android angular ansible argocd aws azure bigquery bitbucket cassandra ceph chroma
    cilium circleci clickhouse cloudflare cockroachdb confluence consul couchbase couchdb cuda
    databricks datadog debezium deno django docker duckdb dynamodb eks elasticsearch elixir envoy
    etcd express faiss fargate fastapi firebase flask flink fluentd gcp gerrit gitlab gke grafana
    graphite graphql hadoop haproxy hazelcast helm heroku hibernate huggingface influxdb ios istio
    jaeger jenkins jira kafka keda keycloak kibana kong knative kubernetes k8s lambda lancedb
    langchain langfuse laravel linkerd llamaindex loki macos mariadb memcached microsoft milvus
    minikube minio mongodb mysql nats neo4j netlify nextjs nginx nodejs nomad okta openai openshift
    opensearch oracle pinecone podman prometheus pulsar puppet pytorch rabbitmq rails rancher react
    redshift rust s3 sagemaker salesforce sap scala sentry sharepoint slack snowflake solr spark
    splunk spring sqlite sqlserver supabase svelte swift tekton temporal tensorflow terraform tomcat
    traefik trino triton vault vercel vespa vllm vue weaviate webpack windows wordpress zookeeper
    """.split()  # noqa: SIM905 - a list literal of so many words is a page of quotes
)
"""Lower-case names; one that the corpus mentions is never missing, so a long list does no harm."""

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9.+#-]*[A-Za-z0-9+#]|[A-Za-z]")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;]\s+)$")
_CODE = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")


def platform_names(question: str) -> tuple[list[str], list[str]]:
    """Return the names in a question.

    Args:
        question: As asked.

    Returns:
        Names that are on our list, then other words that look like names: capitals inside (`KubeVirt`), all
        capitals (`KEDA`), or a capital within a sentence; quoted text and code are left out of the second.
    """
    listed: list[str] = []
    looks: list[str] = []
    quoted = [match.span() for match in _CODE.finditer(question)]
    for match in _TOKEN.finditer(question):
        word = match[0]
        if word.lower() in _KNOWN:
            listed.append(word)
        elif _looks_like_a_name(word, question[: match.start()]) and not any(
            start <= match.start() < end for start, end in quoted
        ):
            looks.append(word)
    return list(dict.fromkeys(listed)), list(dict.fromkeys(looks))


def _looks_like_a_name(word: str, before: str) -> bool:
    if len(word) < 3 or not any(letter.isupper() for letter in word):
        return False
    if any(letter.isupper() for letter in word[1:]):
        return True
    return not _SENTENCE_START.search(before)
