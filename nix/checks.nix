# What `nix flake check` builds: nothing big, and no model.
{
  pkgs,
  ragbed,
  inputs,
  mkConfig,
}:
let
  # A configuration as devenv evaluates it, its assertions included: nothing of it is built. The shell itself is left
  # out, because devenv fetches the sources of its own programs to evaluate that.
  evaluated =
    modules:
    let
      config = mkConfig {
        inherit inputs pkgs;
        modules = modules ++ [ { devenv.root = "/a-checkout"; } ];
      };
      failed = builtins.filter (one: !one.assertion) config.assertions;
      addresses = builtins.filter (name: config.env ? ${name}) [
        "DATABASE_URL"
        "REDIS_URL"
        "QDRANT_URL"
        "OLLAMA_HOST"
      ];
    in
    if failed != [ ] then
      throw (builtins.concatStringsSep "\n" (map (one: one.message) failed))
    else
      builtins.unsafeDiscardStringContext (
        builtins.toJSON {
          env = map (name: config.env.${name}) addresses;
          processes = builtins.mapAttrs (_: one: [
            one.exec
            one.after
            one.env
            (one.ready.exec or null)
          ]) config.processes;
          tasks = builtins.mapAttrs (_: one: one.after) config.tasks;
        }
      );

  shells = {
    project = evaluated [ ../devenv.nix ];
    template = evaluated [
      ./modules/ragbed.nix
      ./template/devenv.nix
    ];
    two-services = evaluated [
      ./modules/qdrant.nix
      ./modules/ollama.nix
      {
        services.qdrant.enable = true;
        services.qdrant.instances.second.httpPort = 7333;
        services.ollama = {
          enable = true;
          models = [ "all-minilm" ];
        };
      }
    ];
  };
in
{
  # Each digest of the lock is recomputed, and each pinned version compared with this nixpkgs.
  pins = pkgs.runCommandLocal "ragbed-pins" {
    models = map (model: model.digest) ragbed.models.all;
    versions = map (service: (ragbed.package pkgs service).version) (
      builtins.attrNames ragbed.services
    );
  } ''echo "$models $versions" >"$out"'';

  modules = pkgs.runCommandLocal "ragbed-modules" {
    shells = builtins.toJSON shells;
    passAsFile = [ "shells" ];
  } ''cp "$shellsPath" "$out"'';
}
