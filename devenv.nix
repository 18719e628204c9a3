# The shell and the services of this repository, for `nix develop` (flake.nix) and for devenv's CLI (devenv.yaml).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  ragbed = import ./nix/lib { };
  exact = ragbed.package pkgs;
  versionOf = service: ragbed.services.${service}.version;

  # What the shell says of running services; a test of its own must not find them.
  addresses = "-u DATABASE_URL -u REDIS_URL -u QDRANT_URL -u OLLAMA_HOST";
in
{
  imports = [
    ./nix/modules/ragbed.nix
    ./nix/python/module.nix
  ];

  services = {
    ragbed = {
      enable = true;
      corpus = "docs/lessons";
    };
    postgres.package = exact "postgres";
    redis.package = exact "redis";
    qdrant.package = exact "qdrant";
    ollama.package = lib.mkIf (config.services.ollama.acceleration == "cpu") (exact "ollama");
  };

  # The same under the flake and under devenv's CLI, which has another default.
  process.manager.implementation = lib.mkDefault "process-compose";

  env.DO_NOT_TRACK = "1";

  packages = [
    pkgs.git
    pkgs.shellcheck
  ];

  enterShell = ''
    echo "ragbed: Postgres ${versionOf "postgres"} with pgvector, Redis ${versionOf "redis"}, Qdrant ${versionOf "qdrant"}, Ollama ${versionOf "ollama"}"
    echo "  devenv up                  start them, and the RAG API on port ${toString ragbed.app.port}; gets the models first"
    echo "  ragbed smoke               in another terminal: prove the pipeline on them"
  '';

  enterTest = ''
    smoke_state=$(mktemp -d)
    trap 'rm -rf "$smoke_state"' EXIT
    env ${addresses} RAGBED_STATE_DIR="$smoke_state" RAGBED_STACK__DEFAULT_PORTS=false ragbed smoke
  '';
}
