# The whole bed: Postgres with pgvector, Redis, Qdrant and Ollama as pinned, the tasks that make them ready for
# ragbed, and the RAG API. `services.ragbed.enable = true`.
{
  config,
  lib,
  pkgs,
  inputs,
  ...
}:
let
  inherit (lib) mkDefault mkOption types;
  cfg = config.services.ragbed;
  inherit (config) services;
  ragbed = import ../lib { inherit (cfg) stackFile accept; };
  readiness = import ./readiness.nix { inherit config lib pkgs; };
  host = "127.0.0.1";

  backing = [
    "postgres"
    "redis"
    "qdrant"
    "ollama"
  ];
  # Those that devenv starts, those that are there in some way, and what tells their address.
  started = builtins.filter (service: services.${service}.enable) backing;
  there = service: services.${service}.enable || cfg.urls.${service} != null;
  absent = builtins.filter (service: !(there service)) (lib.remove "ollama" backing);
  variable = {
    postgres = "DATABASE_URL";
    redis = "REDIS_URL";
    qdrant = "QDRANT_URL";
    ollama = "OLLAMA_HOST";
  };

  lock = ragbed.readModelLock services.ollama.lockFile;
  models = lock.set cfg.modelSet;
  lacking = builtins.filter (purpose: !builtins.any (model: model.purpose == purpose) models) [
    "embedding"
    "chat"
  ];

  versionOf = service: services.${service}.package.version;
  # What a package is: Valkey starts under Redis' name too.
  productOf = service: services.${service}.package.pname or service;
  acceptOf = service: ragbed.services.${service}.accept;
  accepted =
    service:
    lib.concatStringsSep " or " (
      lib.mapAttrsToList (product: range: "${product} ${range}") (acceptOf service)
    );
  isAccepted = service: ragbed.accepts (acceptOf service) (productOf service) (versionOf service);

  processOf = service: "devenv:processes:${service}";
  isNative = config.process.manager.implementation == "native";

  # Only stores whose files lie in this project are adopted, as their own probes tell: what answers on a port may be
  # somebody else's. What is given by its address is adopted by hand.
  adopt = readiness.script "adopt-what-devenv-started" (
    if started == [ ] then
      ''echo "ragbed: devenv starts no store here; adopt the ones that are given by ragbed adopt URL"''
    else
      ''
        ${lib.concatMapStringsSep "\n" (service: config.processes.${service}.ready.exec) (
          lib.remove "ollama" started
        )}
        exec ${cfg.command} adopt --yes --started-by devenv ${
          lib.escapeShellArgs (map (service: config.env.${variable.${service}}) started)
        }
      ''
  );

  api = {
    port = config.processes.rag-api.ports.http.value;
    folder = "${config.devenv.state}/rag-api";
  };
  serve = readiness.script "start-rag-api" ''
    ${readiness.begin api.folder}
    cd "$DEVENV_ROOT"
    exec ${cfg.command} serve --port ${toString api.port} ${lib.escapeShellArgs cfg.api.extraArgs}
  '';
  askApi = readiness.probe {
    service = "rag-api";
    inherit (api) folder port;
    inherit host;
    patience = 55; # the adoption and the migration come first
    ask = ''
      curl --noproxy '*' --silent --fail --max-time 3 --output answer "http://${host}:${toString api.port}/health" ||
        say "rag-api: /health does not say that all is well: $(head -c 200 answer 2>/dev/null)"
    '';
  };
in
{
  imports = [
    ./project.nix
    ./stores.nix
    ./qdrant.nix
    ./ollama.nix
  ];

  options.services.ragbed = {
    enable = lib.mkEnableOption "the services of a RAG application as ragbed pins them, and its RAG API";

    urls = lib.genAttrs backing (
      service:
      mkOption {
        type = types.nullOr types.str;
        default = null;
        example =
          {
            postgres = "postgresql://app@127.0.0.1:5433/app_test";
            redis = "redis://127.0.0.1:6380/0";
            qdrant = "http://127.0.0.1:16333";
            ollama = "http://127.0.0.1:11434";
          }
          .${service};
        description = ''
          The address of a ${service} that runs already: devenv starts none then, and `ragbed adopt URL` lets ragbed
          write to it. The Nix store can be read by everybody, so no password belongs in it.
        '';
      }
    );

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
        default = ragbed.app.port + cfg.portOffset;
        defaultText = lib.literalMD "the port in `stack.toml`, and `services.ragbed.portOffset`";
        example = 13000;
        description = "The port of the RAG API.";
      };

      extraArgs = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "--no-reload" ];
        description = "Further words of `ragbed serve`.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    assertions =
      map (service: {
        assertion = isAccepted service;
        message = ''
          services.${service}.package is ${productOf service} ${versionOf service}, outside what ragbed accepts: ${accepted service}.
          Set services.${service}.package to one in range, or services.ragbed.accept.${service}, or take ragbed's nixpkgs: inputs.nixpkgs.follows = "ragbed/nixpkgs".'';
      }) started
      ++ map (service: {
        assertion = !(services.${service}.enable && cfg.urls.${service} != null);
        message = ''
          services.ragbed.urls.${service} is given, and services.${service}.enable starts one of its own.
          Leave out one of the two.'';
      }) backing
      ++ [
        {
          assertion = lacking == [ ];
          message = ''
            services.ragbed.modelSet = "${cfg.modelSet}" has no ${lib.concatStringsSep " and no " lacking} model, and a pipeline needs both.
            Name another of ${lib.concatStringsSep ", " (builtins.attrNames lock.sets)}, or add one: ragbed models lock NAME --set ${cfg.modelSet}'';
        }
        {
          assertion = cfg.hasCommand;
          message = ''
            services.ragbed calls `ragbed`, which is not in this shell.
            Set services.ragbed.package to ragbed's package, or services.ragbed.command to its path; the module of ragbed's flake does it by itself.'';
        }
        {
          assertion = !cfg.api.enable || absent == [ ];
          message = ''
            services.ragbed.api needs ${lib.concatStringsSep " and " absent}, which is left out.
            Set ${lib.concatMapStringsSep " and " (name: "services.ragbed.urls.${name}") absent}, or services.ragbed.api.enable = false.'';
        }
      ];

    services.qdrant.enable = mkDefault (cfg.urls.qdrant == null);

    services.ollama = {
      enable = mkDefault (cfg.urls.ollama == null);
      models = map (model: model.fullName) models;
    };

    packages = lib.optional (cfg.package != null) cfg.package;

    env = lib.mkMerge [
      { RAGBED_MODELS__SET = cfg.modelSet; }
      (lib.mkIf (cfg.urls.qdrant != null) { QDRANT_URL = cfg.urls.qdrant; })
      (lib.mkIf (cfg.urls.ollama != null) { OLLAMA_HOST = cfg.urls.ollama; })
      (lib.mkIf (cfg.lockFile == null && services.ollama.lockFile != null) {
        RAGBED_MODELS_LOCK = import ./in-project.nix { inherit config lib inputs; } services.ollama.lockFile;
      })
    ];

    processes = {
      # It is the first of the RAG API's own tasks; where nobody serves that, adopting is a process.
      adoption = lib.mkIf (!cfg.api.enable && !isNative) rec {
        exec = "exec ${adopt}";
        after = map processOf started;
        # without devenv-tasks, which stays when the process that it watches has ended
        process-compose.command = exec;
      };

      rag-api = lib.mkIf cfg.api.enable (
        lib.mkMerge [
          {
            exec = "exec ${serve}";
            after = map processOf started ++ [ "ragbed:migrate" ];
            env.MODEL_PROVIDER = if there "ollama" then "ollama" else "mock";
            ports.http.allocate = cfg.api.port;
          }
          (readiness.process {
            name = "rag-api";
            seconds = ragbed.services.ollama.readyTimeout;
            timeout = 60;
            ask = askApi;
            inherit host;
            inherit (api) port;
            option = "services.ragbed.api.port";
          })
        ]
      );
    };

    tasks = {
      "ragbed:adopt" = {
        description = "Mark the stores that devenv created as ones that ragbed may write to";
        exec = "exec ${adopt}";
        # process-compose has started them before the task is run; devenv's own manager is told here
        after = lib.optionals isNative (map processOf started);
      };
      "ragbed:migrate" = {
        description = "Bring the database's schema to the newest revision";
        exec = "exec ${cfg.command} migrate";
        after = [ "ragbed:adopt" ];
      };
    }
    // lib.optionalAttrs (there "ollama") {
      "ragbed:models-verify" = {
        description = "Compare the models that Ollama has with the lock, digest by digest";
        exec = "exec ${cfg.command} models verify --set ${lib.escapeShellArg cfg.modelSet} --url ${config.env.OLLAMA_HOST}";
        after = lib.optionals (isNative && services.ollama.enable) [ (processOf "ollama") ];
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
