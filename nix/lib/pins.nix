# The services of `stack.toml`: ports, readiness, and which attribute of nixpkgs at which version.
{ stackFile }:
let
  file = builtins.fromTOML (builtins.readFile stackFile);
  shown = baseNameOf (toString stackFile);

  schema = builtins.toJSON (file.schema or null);
  checked =
    if schema == "1" then
      file
    else
      throw "${shown}: schema is ${schema}, and this ragbed reads schema 1";

  service = name: pinned: {
    inherit (pinned) port accept;
    # whole seconds, for readiness probes that are asked once a second
    readyTimeout = builtins.ceil pinned.ready_timeout_s;
    inherit (pinned.channels.nix) attribute version;
  };
in
rec {
  services = builtins.mapAttrs service checked.services;

  inherit (checked) app;

  # The interpreter: attribute and version.
  python = checked.python.nix;

  # The package that a service is pinned to, from a nixpkgs; refused where that nixpkgs has another version.
  package =
    pkgs: name:
    let
      pin = services.${name};
      found = pkgs.${pin.attribute};
    in
    if found.version == pin.version then
      found
    else
      throw ''
        this nixpkgs has ${pin.attribute} ${found.version}, and ${shown} pins ${pin.version} (services.${name}.channels.nix)
        try: scripts/update-pins, which changes flake.lock, devenv.lock and ${shown} together'';
}
