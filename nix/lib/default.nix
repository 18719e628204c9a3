# What ragbed pins, as Nix reads it, without any input: `nix eval .#lib.services.qdrant.port`.
#
# `stack.toml` and `models.lock.json` are read here and nowhere else on the Nix side; no version and no port is
# written in a Nix file.
#
# A project's own files, or parts of them, are merged over ours: the project's pins, models and accepted ranges.
{
  stackFile ? null,
  lockFile ? null,
  accept ? { },
}:
let
  pins = import ./pins.nix { inherit stackFile accept; };
  manifest = import ./manifest.nix;
  modelLock = import ./model-lock.nix { inherit manifest; };
in
{
  inherit (pins)
    services
    app
    python
    package
    overlay
    ;
  inherit (import ./versions.nix) accepts inRange;
  inherit manifest;
  models = modelLock lockFile;
  readModelLock = modelLock;
}
