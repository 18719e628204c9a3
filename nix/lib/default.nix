# What ragbed pins, as Nix reads it, without any input: `nix eval .#lib.services.qdrant.port`.
#
# `stack.toml` and `models.lock.json` are read here and nowhere else on the Nix side; no version and no port is
# written in a Nix file.
{
  stackFile ? ../../stack.toml,
  lockFile ? ../../models.lock.json,
}:
let
  pins = import ./pins.nix { inherit stackFile; };
  manifest = import ./manifest.nix;
  modelLock = import ./model-lock.nix { inherit manifest; };
in
{
  inherit (pins)
    services
    app
    python
    package
    ;
  inherit (import ./versions.nix) accepts inRange;
  inherit manifest;
  models = modelLock lockFile;
  readModelLock = modelLock;
}
