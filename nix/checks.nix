# What `nix flake check` builds: nothing big, and no model.
{ pkgs, ragbed }:
{
  # Each digest of the lock is recomputed, and each pinned version compared with this nixpkgs.
  pins = pkgs.runCommandLocal "ragbed-pins" {
    models = map (model: model.digest) ragbed.models.all;
    versions = map (service: (ragbed.package pkgs service).version) (
      builtins.attrNames ragbed.services
    );
  } ''echo "$models $versions" >"$out"'';
}
