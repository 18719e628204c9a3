# What `nix flake check` builds: nothing big, and no model.
{
  pkgs,
  ragbed,
  inputs,
  mkShell,
}:
let
  # A configuration as devenv evaluates it, its assertions included; nothing of it is built.
  evaluated =
    modules:
    builtins.unsafeDiscardStringContext
      (mkShell {
        inherit inputs pkgs;
        modules = modules ++ [ { devenv.root = "/a-checkout"; } ];
      }).drvPath;

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
    shells = builtins.attrValues shells;
  } ''echo "$shells" >"$out"'';
}
