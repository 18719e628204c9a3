# What `nix flake check` builds: nothing big, and no model.
{
  pkgs,
  ragbed,
  self,
}:
{
  # Each digest of the lock is recomputed, and each pinned version compared with this nixpkgs.
  pins = pkgs.runCommandLocal "ragbed-pins" {
    models = map (model: model.digest) ragbed.models.all;
    versions = map (service: (ragbed.package pkgs service).version) (builtins.attrNames ragbed.services);
  } ''echo "$models $versions" >"$out"'';

  format = pkgs.runCommandLocal "ragbed-nix-format" { nativeBuildInputs = [ pkgs.nixfmt ]; } ''
    cd ${self}
    find . -name '*.nix' -print0 | xargs -0 nixfmt --check
    touch "$out"
  '';
}
