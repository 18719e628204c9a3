# Ollama as a service of devenv, on models that are pinned by digest: `services.ollama.enable = true`, and more of them
# under `services.ollama.instances`.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  bed = config.services.ragbed;
  ragbed = import ../lib { inherit (bed) stackFile accept; };
  pin = ragbed.services.ollama;
  top = config.services.ollama;
  loopback = import ./loopback.nix { inherit lib; };
  readiness = import ./readiness.nix { inherit config lib pkgs; };
  instances = import ./instances.nix { inherit lib; } "ollama" top;
  ofRegistry = builtins.getEnv "RAGBED_BLOBS";

  portOf = one: config.processes.${one.process}.ports.main.value;
  addressOf = one: "${loopback.inUrl one.cfg.host}:${toString (portOf one)}";

  # What an instance has to have, and the recipe of it without what it makes: the shell's closure then holds the recipe
  # only, and entering the shell downloads no model. A process makes it.
  modelsOf =
    one:
    let
      lock = ragbed.readModelLock one.cfg.lockFile;
      wanted = map lock.get one.cfg.models;
      store =
        (import ../models {
          inherit (pkgs) fetchurl linkFarm;
          source = one.cfg.registry;
        }).store
          {
            inherit (ragbed) manifest;
            models = wanted;
          };
    in
    {
      inherit lock wanted;
      unknown = builtins.filter (name: !lock.has name) one.cfg.models;
      recipe = builtins.unsafeDiscardOutputDependency store.drvPath;
      words = lib.concatMapStringsSep " " (
        model: lib.escapeShellArg "--model=${model.fullName}"
      ) wanted;
      given = one.cfg.modelsFrom != "none";
      process = "${one.process}-models";
    };

  getModels = one: models: {
    store = ''
      echo "${one.process}: getting ${toString (builtins.length models.wanted)} models into the Nix store"
      nix-store --realise ${models.recipe} --add-root models --indirect
    '';
    ragbed = ''
      ${lib.optionalString (one.cfg.lockFile != null) "export RAGBED_MODELS_LOCK=${one.cfg.lockFile}"}
      ${bed.command} models fetch ${models.words}
      ${bed.command} models store ${models.words} models
    '';
  };

  prepare =
    one:
    readiness.script "get-${one.process}-models" ''
      mkdir -p ${lib.escapeShellArg one.cfg.dataDir}
      cd ${lib.escapeShellArg one.cfg.dataDir}
      ${(getModels one (modelsOf one)).${one.cfg.modelsFrom}}
    '';

  start =
    one:
    readiness.script "start-${one.process}" ''
      ${readiness.begin one.cfg.dataDir}
      mkdir -p home
      ${lib.optionalString (modelsOf one).given ''
        export OLLAMA_MODELS=$PWD/models
        if [ ! -d "$OLLAMA_MODELS" ]; then
          echo "${one.process}: its models are not there; the log of ${(modelsOf one).process} tells why" >&2
          exit 1
        fi
      ''}
      export HOME=$PWD/home # it writes a key there
      exec ${lib.getExe' one.cfg.package "ollama"} serve
    '';

  # What `/api/tags` must list: names with the pinned digests, so that a tag that has moved is not ready.
  listed =
    models:
    builtins.toJSON (
      map (model: {
        name = model.fullName;
        digest = lib.removePrefix "sha256:" model.digest;
      }) models.wanted
    );
  ask =
    one:
    readiness.probe {
      service = one.process;
      folder = one.cfg.dataDir;
      host = loopback.reached one.cfg.host;
      port = portOf one;
      ask = ''
        curl --noproxy '*' --silent --fail --max-time 3 --output tags "http://${addressOf one}/api/tags" ||
          say "${one.process}: /api/tags does not answer"
        wrong=$(jq --raw-output --argjson wanted ${lib.escapeShellArg (listed (modelsOf one))} '
          (.models | map({key: .name, value: .digest}) | from_entries) as $there
          | [ $wanted[] | select($there[.name] != .digest)
              | if $there[.name] then "\(.name) has the digest \($there[.name][:12]), and \(.digest[:12]) is pinned"
                else "\(.name) is missing" end ] | join("; ")' tags)
        [ -z "$wrong" ] || say "${one.process}: $wrong"
      '';
    };

  optionsOf =
    {
      self,
      folder,
      port,
    }:
    {
      package = mkOption {
        type = types.package;
        default =
          if self.acceleration == "cpu" then pkgs.${pin.attribute} else pkgs."ollama-${self.acceleration}";
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
        default = port + bed.portOffset;
        defaultText = lib.literalMD "the port in `stack.toml`, ten more for a further instance, and `services.ragbed.portOffset`";
        example = 21434;
        description = "The port of the API.";
      };

      dataDir = mkOption {
        type = types.str;
        default = "${config.devenv.state}/${folder}";
        defaultText = lib.literalMD "a folder in devenv's state";
        example = "/var/tmp/ollama";
        description = "The folder of the models, the key and the pid.";
      };

      lockFile = mkOption {
        type = types.nullOr types.path;
        default = bed.lockFile;
        defaultText = lib.literalMD "`services.ragbed.lockFile`";
        example = lib.literalExpression "./models.lock.json";
        description = "The lock that pins models by digest, over ragbed's own.";
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
        default = if self.models == [ ] then "none" else "store";
        defaultText = lib.literalMD "`store` where `models` are named";
        example = "ragbed";
        description = ''
          Where the models come from when the processes start: `store` builds them into the Nix store, `ragbed` runs
          `ragbed models fetch` by `services.ragbed.command`, which keeps them in the project and resumes what broke
          off, `none` leaves Ollama a folder of its own, to pull into.
        '';
      };

      registry = mkOption {
        type = types.str;
        default = ofRegistry;
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
        description = "Variables of Ollama's server, which has no other settings and no flags.";
      };
    };

  assertionsOf =
    one:
    let
      inherit (one) cfg option;
      models = modelsOf one;
      chosen = "ollama-${cfg.acceleration}";
      wrong = builtins.filter (name: cfg.settings ? ${name}) [
        "OLLAMA_HOST"
        "OLLAMA_MODELS"
        "HOME"
      ];
    in
    [
      (loopback.assertion bed.exposed "ollama" "${option}.host" cfg.host)
      {
        assertion = models.unknown == [ ];
        message = ''
          ${option}.models names ${lib.concatStringsSep ", " models.unknown}, which ${baseNameOf (toString models.lock.path)} does not pin.
          Pin it by `ragbed models lock NAME`, or name one of ${lib.concatStringsSep ", " models.lock.names}.'';
      }
      {
        assertion = cfg.models == [ ] || cfg.modelsFrom != "none";
        message = ''
          ${option}.models names models, and ${option}.modelsFrom = "none" gets none.
          Set ${option}.modelsFrom to "store" or "ragbed", or leave ${option}.models empty.'';
      }
      {
        assertion = cfg.models != [ ] || cfg.modelsFrom == "none";
        message = ''
          ${option}.modelsFrom = "${cfg.modelsFrom}", and ${option}.models names none to get.
          Name some in ${option}.models, or leave ${option}.modelsFrom out.'';
      }
      {
        assertion = cfg.modelsFrom != "ragbed" || bed.hasCommand;
        message = ''
          ${option}.modelsFrom = "ragbed" runs `ragbed`, which is not in this shell.
          Set services.ragbed.package to ragbed's package or services.ragbed.command to its path, or ${option}.modelsFrom to "store".'';
      }
      {
        assertion = cfg.registry == ofRegistry || cfg.modelsFrom == "store";
        message = ''
          ${option}.registry is for ${option}.modelsFrom = "store", which is "${cfg.modelsFrom}".
          Leave ${option}.registry out: `ragbed models fetch` has a setting of its own, models.registry.'';
      }
      {
        assertion = cfg.acceleration == "cpu" || pkgs.stdenv.hostPlatform.isLinux;
        message = ''
          ${option}.acceleration = "${cfg.acceleration}" needs Linux.
          Leave it "cpu": on macOS Ollama uses Metal all the same.'';
      }
      {
        assertion =
          cfg.acceleration == "cpu"
          || !pkgs.stdenv.hostPlatform.isLinux
          || cfg.package.outPath == pkgs.${chosen}.outPath;
        message = ''
          ${option}.package is set, and ${option}.acceleration = "${cfg.acceleration}" would choose another one.
          Leave out one of the two.'';
      }
      {
        assertion = wrong == [ ];
        message = ''
          ${option}.settings sets ${lib.concatStringsSep ", " wrong}, which the options of ${option} would overrule.
          Set ${option}.host, port, dataDir and modelsFrom instead.'';
      }
    ];

  processesOf =
    one:
    let
      models = modelsOf one;
    in
    lib.mkMerge [
      # Getting gigabytes is no part of being ready: it is a process of its own, with its progress in a log of its own.
      (lib.mkIf models.given {
        ${models.process} = rec {
          exec = "exec ${prepare one}";
          # process-compose runs it without devenv-tasks, which stays when the process that it watches has ended
          process-compose.command = exec;
        };
      })
      {
        ${one.process} = lib.mkMerge [
          {
            exec = "exec ${start one}";
            env = {
              OLLAMA_HOST = "${
                if builtins.match ".*:.*" one.cfg.host == null then one.cfg.host else "[${one.cfg.host}]"
              }:${toString (portOf one)}";
              OLLAMA_NO_CLOUD = "1"; # else it asks its vendor at the start
              OLLAMA_NOPRUNE = "1"; # the folder of models cannot be written
            }
            // one.cfg.settings;
            after = lib.optional models.given "devenv:processes:${models.process}@completed";
            # what `after` cannot say: only where the models came
            process-compose = lib.mkIf models.given {
              depends_on.${models.process}.condition = lib.mkForce "process_completed_successfully";
            };
            ports.main.allocate = one.cfg.port;
          }
          (readiness.process {
            name = one.process;
            seconds = pin.readyTimeout;
            ask = ask one;
            host = loopback.reached one.cfg.host;
            port = portOf one;
            option = "${one.option}.port";
          })
        ];
      }
    ];
in
{
  imports = [ ./project.nix ];

  options.services.ollama =
    optionsOf {
      self = top;
      folder = "ollama";
      inherit (pin) port;
    }
    // {
      enable = lib.mkEnableOption "Ollama, a server of language models";
      instances = instances.option (
        { name, self }:
        optionsOf {
          inherit self;
          folder = "ollama-${name}";
          port = pin.port + 10;
        }
      ) { port = 21444; };
    };

  config = lib.mkIf (instances.all != [ ]) {
    assertions = builtins.concatMap assertionsOf instances.all;

    packages = lib.unique (map (one: one.cfg.package) instances.all);

    env = instances.each (one: {
      ${one.variable "OLLAMA" "HOST"} = "http://${addressOf one}";
    });

    processes = instances.each processesOf;
  };
}
