# What a project says once, and every service follows: its own pins, where its ports begin, how ragbed is called.
{
  config,
  lib,
  pkgs,
  inputs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.ragbed;
  ragbed = import ../lib { inherit (cfg) stackFile lockFile accept; };

  inProject = import ./in-project.nix { inherit config lib inputs; };

  toml =
    value:
    if builtins.isAttrs value then
      "{ ${
        lib.concatStringsSep ", " (
          lib.mapAttrsToList (name: inner: "${builtins.toJSON name} = ${toml inner}") value
        )
      } }"
    else
      builtins.toJSON value;
  overlay = pkgs.writeText "stack.toml" (
    lib.concatStringsSep "\n" (
      lib.mapAttrsToList (name: value: "${name} = ${toml value}") ragbed.overlay
    )
  );
in
{
  options.services.ragbed = {
    stackFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./stack.toml";
      description = ''
        The project's own pins of services: a whole `stack.toml`, or a part of one, which overrides ragbed's by key.
      '';
    };

    lockFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./models.lock.json";
      description = ''
        The project's own lock of models: a whole one, with `default`, `sets` and `models`, counts alone, and a part of one
        overrides ragbed's by model and by set; `ragbed models lock` adds to it.
      '';
    };

    accept = mkOption {
      type = types.attrsOf (types.attrsOf types.str);
      default = { };
      example = {
        redis.valkey = ">=8.1,<9";
      };
      description = ''
        Accepted versions by service and product, over those of `stackFile`: for a project whose nixpkgs has others.
      '';
    };

    portOffset = mkOption {
      type = types.int;
      default = 0;
      example = 100;
      description = ''
        What is added to every port that is not set by itself: projects with different offsets run side by side.
      '';
    };

    exposed = mkOption {
      type = types.listOf (
        types.enum [
          "postgres"
          "redis"
          "qdrant"
          "ollama"
        ]
      );
      default = [ ];
      example = [ "qdrant" ];
      description = ''
        Services that may listen on an address that others can reach, named one by one. None of them asks a password of
        its clients, except Postgres, whose password is known.
      '';
    };

    package = mkOption {
      type = types.nullOr types.package;
      default =
        (import ../python {
          inherit pkgs;
          anyPatch = true;
        }).ragbed
          { };
      defaultText = lib.literalMD "this ragbed, on the project's nixpkgs";
      example = lib.literalExpression "inputs.ragbed.packages.\${pkgs.stdenv.hostPlatform.system}.ragbed";
      description = "The package with `bin/ragbed`, for the shell and for `command`; null where the project brings its own.";
    };

    command = mkOption {
      type = types.str;
      default = if cfg.package == null then "ragbed" else "${cfg.package}/bin/ragbed";
      defaultText = lib.literalMD "that of `package`; `ragbed` where there is none";
      example = "uv run ragbed";
      description = "How processes and tasks call ragbed.";
    };

    hasCommand = mkOption {
      type = types.bool;
      default = cfg.package != null || cfg.command != "ragbed" || config.scripts ? ragbed;
      defaultText = lib.literalMD "whether `package`, `command` or a script of devenv brings it";
      example = true;
      description = "Whether `command` is there; where PATH brings it by other means, say so.";
    };
  };

  config.env = lib.mkMerge [
    (lib.mkIf (cfg.accept != { }) { RAGBED_STACK_FILE = "${overlay}"; })
    (lib.mkIf (cfg.accept == { } && cfg.stackFile != null) {
      RAGBED_STACK_FILE = inProject cfg.stackFile;
    })
    (lib.mkIf (cfg.lockFile != null) { RAGBED_MODELS_LOCK = inProject cfg.lockFile; })
  ];
}
