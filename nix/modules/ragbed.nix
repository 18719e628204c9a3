# The whole bed: Postgres with pgvector, Redis, Qdrant and Ollama as pinned, the tasks that make them ready for
# ragbed, and the RAG API. `services.ragbed.enable = true`.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkDefault mkOption types;
  ragbed = import ../lib { };
  readiness = import ./readiness.nix;
  cfg = config.services.ragbed;
  inherit (config) services;
  host = "127.0.0.1";
  name = "ragbed"; # of the local database, its user and its password

  portOf = process: config.processes.${process}.ports.main.value;
  urls = {
    DATABASE_URL = "postgresql://${name}:${name}@${host}:${toString (portOf "postgres")}/${name}";
    REDIS_URL = "redis://${host}:${toString (portOf "redis")}/0";
    inherit (config.env) QDRANT_URL OLLAMA_HOST;
  };

  lock = ragbed.readModelLock services.ollama.lockFile;
  models = lock.set cfg.modelSet;
  lacking = builtins.filter (purpose: !builtins.any (model: model.purpose == purpose) models) [
    "embedding"
    "chat"
  ];

  backing = [
    "postgres"
    "redis"
    "qdrant"
    "ollama"
  ];
  versionOf = service: services.${service}.package.version;
  accepted =
    service:
    lib.concatStringsSep " or " (
      lib.mapAttrsToList (product: range: "${product} ${range}") ragbed.services.${service}.accept
    );
  outOfRange = builtins.filter (
    service: !ragbed.accepts ragbed.services.${service}.accept (versionOf service)
  ) backing;

  processOf = service: "devenv:processes:${service}";
  isNative = config.process.manager.implementation == "native";
  probed = service: {
    ready = lib.mapAttrs (_: lib.mkForce) (
      readiness.eachSecond ragbed.services.${service}.readyTimeout // { initial_delay = 0; }
    );
    process-compose = readiness.compose;
  };

  # Only stores whose files lie in this project are adopted: what answers on a port may be somebody else's.
  adopt = pkgs.writeShellScript "adopt-what-devenv-started" ''
    set -euo pipefail
    require() { # SERVICE FOLDER-IT-USES OUR-FOLDER
      if [ "$(realpath -m -- "$2")" != "$(realpath -m -- "$3")" ]; then
        echo "ragbed: the $1 that answers is not the one of this project: its files are in $2, not in $3" >&2
        exit 1
      fi
    }
    data=$(psql --no-password --host=${host} --port=${toString (portOf "postgres")} --dbname=postgres \
      --no-align --tuples-only --no-psqlrc --command='SHOW data_directory')
    require postgres "$data" "$PGDATA"
    data=$(redis-cli -h ${host} -p ${toString (portOf "redis")} config get dir | tail -n 1)
    require redis "$data" "$REDISDATA"
    if ! kill -0 "$(cat "$DEVENV_STATE/qdrant/pid")"; then
      echo "ragbed: the qdrant that answers is not the one of this project, whose process has ended" >&2
      exit 1
    fi
    exec ${cfg.command} adopt --yes --started-by devenv ${lib.escapeShellArgs (builtins.attrValues urls)}
  '';
in
{
  imports = [
    ./qdrant.nix
    ./ollama.nix
  ];

  options.services.ragbed = {
    enable = lib.mkEnableOption "the services of a RAG application as ragbed pins them, and its RAG API";

    command = mkOption {
      type = types.str;
      default = "ragbed";
      example = lib.literalExpression ''"''${inputs.ragbed.packages.''${pkgs.stdenv.hostPlatform.system}.ragbed}/bin/ragbed"'';
      description = "How ragbed is called.";
    };

    modelSet = mkOption {
      type = types.str;
      default = lock.default;
      defaultText = lib.literalMD "the default set of the lock";
      example = "full";
      description = "The set of the lock that Ollama must have and the RAG API uses.";
    };

    corpus = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "docs";
      description = "The folder of documents that the task `ragbed:seed` ingests, below the project's root.";
    };

    api = {
      enable = mkOption {
        type = types.bool;
        default = true;
        example = false;
        description = "Whether to serve the RAG API once the services are ready.";
      };

      port = mkOption {
        type = types.port;
        default = ragbed.app.port;
        defaultText = lib.literalMD "the port in `stack.toml`";
        example = 13000;
        description = "The port of the RAG API.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    assertions =
      map (service: {
        assertion = !(builtins.elem service outOfRange);
        message = ''
          services.${service}.package is ${versionOf service}, outside what ragbed accepts: ${accepted service}.
          Set services.${service}.package to one in range, or take ragbed's nixpkgs: inputs.nixpkgs.follows = "ragbed/nixpkgs".'';
      }) backing
      ++ [
        {
          assertion = lacking == [ ];
          message = ''
            services.ragbed.modelSet = "${cfg.modelSet}" has no ${lib.concatStringsSep " and no " lacking} model, and a pipeline needs both.
            Name another of ${lib.concatStringsSep ", " (builtins.attrNames lock.sets)}, or add one: ragbed models lock NAME --set ${cfg.modelSet}'';
        }
      ];

    services.postgres = {
      enable = true;
      package = mkDefault pkgs.${ragbed.services.postgres.attribute};
      extensions = mkDefault (extensions: [ extensions.pgvector ]);
      listen_addresses = mkDefault host;
      port = mkDefault ragbed.services.postgres.port;
      initialDatabases = [
        {
          inherit name;
          user = name;
          pass = name;
          initialSQL = "CREATE EXTENSION IF NOT EXISTS vector;";
        }
      ];
    };

    services.redis = {
      enable = true;
      package = mkDefault pkgs.${ragbed.services.redis.attribute};
      bind = mkDefault host;
      port = mkDefault ragbed.services.redis.port;
    };

    services.qdrant.enable = true;

    services.ollama = {
      enable = true;
      models = map (model: model.fullName) models;
    };

    env = {
      inherit (urls) DATABASE_URL REDIS_URL;
      RAGBED_MODELS__SET = cfg.modelSet;
    }
    // lib.optionalAttrs (services.ollama.lockFile != ragbed.models.path) {
      RAGBED_MODELS_LOCK = "${services.ollama.lockFile}";
    };

    processes = {
      postgres = probed "postgres";
      redis = probed "redis";

      # It is the first of the RAG API's own tasks; where nobody serves that, adopting is a process.
      adoption = lib.mkIf (!cfg.api.enable && !isNative) rec {
        exec = "exec ${adopt}";
        after = map processOf backing;
        # without devenv-tasks, which stays when the process that it watches has ended
        process-compose.command = exec;
      };

      rag-api = lib.mkIf cfg.api.enable {
        exec = "exec ${cfg.command} serve --port ${toString config.processes.rag-api.ports.http.value}";
        after = map processOf backing ++ [ "ragbed:migrate" ];
        env.MODEL_PROVIDER = "ollama";
        ports.http.allocate = cfg.api.port;
        ready = readiness.eachSecond ragbed.services.ollama.readyTimeout // {
          http.get = {
            inherit host;
            port = config.processes.rag-api.ports.http.value;
            path = "/health";
          };
        };
        process-compose = readiness.compose;
      };
    };

    tasks = {
      "ragbed:adopt" = {
        description = "Mark the stores that devenv created as ones that ragbed may write to";
        exec = "exec ${adopt}";
        # process-compose has started them before the task is run; devenv's own manager is told here
        after = lib.optionals isNative (map processOf backing);
      };
      "ragbed:migrate" = {
        description = "Bring the database's schema to the newest revision";
        exec = "exec ${cfg.command} migrate";
        after = [ "ragbed:adopt" ];
      };
      "ragbed:models-verify" = {
        description = "Compare the models that Ollama has with the lock, digest by digest";
        exec = "exec ${cfg.command} models verify --set ${lib.escapeShellArg cfg.modelSet} --url ${urls.OLLAMA_HOST}";
        after = lib.optionals isNative [ (processOf "ollama") ];
        showOutput = true;
      };
    }
    // lib.optionalAttrs (cfg.corpus != null) {
      "ragbed:seed" = {
        description = "Ingest ${cfg.corpus} into the services that run";
        exec = "exec ${cfg.command} ingest ${lib.escapeShellArg "${config.devenv.root}/${cfg.corpus}"}";
        after = [ "ragbed:migrate" ];
        showOutput = true;
      };
    };
  };
}
