# Ollama as a service of devenv, on models that are pinned by digest: `services.ollama.enable = true`.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  ragbed = import ../lib { };
  pin = ragbed.services.ollama;
  cfg = config.services.ollama;
  port = config.processes.ollama.ports.main.value;
  loopback = import ./loopback.nix { inherit lib; };
  readiness = import ./readiness.nix;
  address = "${loopback.inUrl cfg.host}:${toString port}";

  lock = ragbed.readModelLock cfg.lockFile;
  unknown = builtins.filter (name: !lock.has name) cfg.models;
  wanted = map lock.get cfg.models;

  store =
    (import ../models {
      inherit (pkgs) fetchurl linkFarm;
      source = cfg.registry;
    }).store
      {
        inherit (ragbed) manifest;
        models = wanted;
      };

  # The recipe without what it makes: the shell's closure then holds the recipe only, and entering the shell downloads
  # no model. The process below makes it.
  recipe = builtins.unsafeDiscardOutputDependency store.drvPath;
  modelNames = lib.concatMapStringsSep " " (
    model: lib.escapeShellArg "--model=${model.fullName}"
  ) wanted;

  getsModels = cfg.modelsFrom != "none";
  getModels = {
    store = ''
      echo "ollama: getting ${toString (builtins.length wanted)} models into the Nix store"
      nix-store --realise ${recipe} --add-root "$state/models" --indirect
    '';
    ragbed = ''
      export RAGBED_MODELS_LOCK=${cfg.lockFile}
      ragbed models fetch ${modelNames}
      ragbed models store ${modelNames} "$state/models"
    '';
    none = "";
  };

  prepare = pkgs.writeShellScript "get-ollama-models" ''
    set -euo pipefail
    state=$DEVENV_STATE/ollama
    mkdir -p "$state"
    ${getModels.${cfg.modelsFrom}}
  '';

  start = pkgs.writeShellScript "start-ollama" ''
    set -euo pipefail
    state=$DEVENV_STATE/ollama
    mkdir -p "$state/home"
    if (exec 3<>"/dev/tcp/${cfg.host}/${toString port}") 2>/dev/null; then
      echo "ollama: port ${toString port} is taken by something else; stop it, or set services.ollama.port" >&2
      exit 1
    fi
    ${lib.optionalString getsModels ''
      export OLLAMA_MODELS=$state/models
      if [ ! -d "$OLLAMA_MODELS" ]; then
        echo "ollama: its models are not there; the log of ollama-models tells why" >&2
        exit 1
      fi
    ''}
    export HOME=$state/home # it writes a key there
    exec ${lib.getExe' cfg.package "ollama"} serve
  '';

  # What `/api/tags` must list: names with the pinned digests, so that a tag that has moved is not ready.
  listed = builtins.toJSON (
    map (model: {
      name = model.fullName;
      digest = lib.removePrefix "sha256:" model.digest;
    }) wanted
  );
  ask = pkgs.writeShellScript "ollama-is-ready" ''
    set -euo pipefail
    ${lib.getExe pkgs.curl} --silent --fail --max-time 3 "http://${address}/api/tags" |
      ${lib.getExe pkgs.jq} --exit-status --argjson wanted ${lib.escapeShellArg listed} \
        '[.models[] | {name, digest}] as $there | all($wanted[]; . as $one | $there | index($one))' >/dev/null
  '';
in
{
  options.services.ollama = {
    enable = lib.mkEnableOption "Ollama, a server of language models";

    package = mkOption {
      type = types.package;
      default =
        if cfg.acceleration == "cpu" then pkgs.${pin.attribute} else pkgs."ollama-${cfg.acceleration}";
      defaultText = lib.literalMD "the attribute that `stack.toml` names, or the one for `acceleration`";
      example = lib.literalExpression "pkgs.ollama";
      description = "The package with `bin/ollama`.";
    };

    acceleration = mkOption {
      type = types.enum [
        "cpu"
        "cuda"
        "rocm"
        "vulkan"
      ];
      default = "cpu";
      example = "cuda";
      description = ''
        What computes, where `package` is not set. `cpu` is the same on every machine; on macOS it uses Metal all the
        same. `cuda` is not free: export `NIXPKGS_ALLOW_UNFREE=1`, or set `nixpkgs.allow_unfree` in `devenv.yaml`.
      '';
    };

    host = loopback.option;

    port = mkOption {
      type = types.port;
      default = pin.port;
      defaultText = lib.literalMD "the port in `stack.toml`";
      example = 21434;
      description = "The port of the API.";
    };

    lockFile = mkOption {
      type = types.path;
      default = ragbed.models.path;
      defaultText = lib.literalMD "ragbed's `models.lock.json`";
      example = lib.literalExpression "./models.lock.json";
      description = "The lock that pins models by digest; `ragbed models lock` adds to one.";
    };

    models = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [
        "all-minilm"
        "qwen2.5:0.5b"
      ];
      description = "Models of the lock that Ollama must have before it counts as ready.";
    };

    modelsFrom = mkOption {
      type = types.enum [
        "store"
        "ragbed"
        "none"
      ];
      default = if cfg.models == [ ] then "none" else "store";
      defaultText = lib.literalMD "`store` where `models` are named";
      example = "ragbed";
      description = ''
        Where the models come from when the processes start: `store` builds them into the Nix store, `ragbed` runs
        `ragbed models fetch`, which keeps them in the project and resumes what broke off, `none` leaves Ollama a
        folder of its own, to pull into.
      '';
    };

    registry = mkOption {
      type = types.str;
      default = builtins.getEnv "RAGBED_BLOBS";
      defaultText = lib.literalMD "the registry that the lock names, or the folder in `RAGBED_BLOBS`";
      example = "file:///mnt/mirror";
      description = "Another registry, a mirror in a folder, or a folder of blobs; for `modelsFrom = \"store\"`.";
    };

    settings = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        OLLAMA_NUM_PARALLEL = "1";
      };
      description = "Variables of Ollama's server.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      (loopback.assertion "ollama" cfg.host)
      {
        assertion = unknown == [ ];
        message = ''
          services.ollama.models names ${lib.concatStringsSep ", " unknown}, which ${baseNameOf (toString cfg.lockFile)} does not pin.
          Pin it by `ragbed models lock NAME`, or name one of ${lib.concatStringsSep ", " lock.names}.'';
      }
      {
        assertion = cfg.models == [ ] || cfg.modelsFrom != "none";
        message = ''
          services.ollama.models names models, and services.ollama.modelsFrom = "none" gets none.
          Set services.ollama.modelsFrom to "store" or "ragbed", or leave services.ollama.models empty.'';
      }
      {
        assertion = cfg.acceleration == "cpu" || pkgs.stdenv.hostPlatform.isLinux;
        message = ''
          services.ollama.acceleration = "${cfg.acceleration}" needs Linux.
          Leave it "cpu": on macOS Ollama uses Metal all the same.'';
      }
      {
        assertion = !(cfg.settings ? OLLAMA_HOST || cfg.settings ? OLLAMA_MODELS);
        message = ''
          services.ollama.settings sets OLLAMA_HOST or OLLAMA_MODELS.
          Set services.ollama.host, port and modelsFrom instead.'';
      }
    ];

    packages = [ cfg.package ];

    env.OLLAMA_HOST = "http://${address}";

    # Getting gigabytes is no part of being ready: it is a process of its own, with its progress in a log of its own.
    processes.ollama-models = lib.mkIf getsModels rec {
      exec = "exec ${prepare}";
      # process-compose runs it without devenv-tasks, which stays when the process that it watches has ended
      process-compose.command = exec;
    };

    processes.ollama = {
      exec = "exec ${start}";
      env = {
        OLLAMA_HOST = address;
        OLLAMA_NO_CLOUD = "1"; # else it asks its vendor at the start
        OLLAMA_NOPRUNE = "1"; # the folder of models cannot be written
      }
      // cfg.settings;
      after = lib.optional getsModels "devenv:processes:ollama-models@completed";
      process-compose = readiness.compose // {
        # what `after` cannot say: only where the models came
        depends_on = lib.mkIf getsModels {
          ollama-models.condition = lib.mkForce "process_completed_successfully";
        };
      };
      ports.main.allocate = cfg.port;
      ready = readiness.eachSecond pin.readyTimeout // {
        exec = "${ask}";
      };
    };
  };
}
