# The services of `stack.toml`: ports, readiness, and which attribute of nixpkgs at which version.
#
# A project's own file, or a part of one, is merged over ours; `accept` is merged last.
{
  stackFile ? null,
  accept ? { },
}:
let
  inherit (builtins) attrNames elemAt length;
  ours = ../../stack.toml;
  path = if stackFile == null then ours else stackFile;
  shown = baseNameOf (toString path);
  read =
    file:
    builtins.addErrorContext "while reading ${toString file}" (
      builtins.fromTOML (builtins.readFile file)
    );

  # What each channel has to say; together, or a digest would be of another reference.
  channels = {
    nix = [
      "attribute"
      "version"
    ];
    wheel = [
      "package"
      "package_version"
      "version"
    ];
    image = [
      "reference"
      "version"
      "digest"
    ];
    go = [
      "module"
      "version"
      "sum"
      "go_mod_sum"
    ];
  };

  under = name: path: length path >= 3 && elemAt path 0 == "services" && elemAt path 2 == name;
  mergeOf =
    shown:
    import ./merge.nix {
      inherit shown;
      isEntry = path: under "channels" path && length path == 4;
      isOpen = path: (under "accept" path || under "channels" path) && length path == 3;
    };
  inherit (mergeOf shown) merged refuse;

  own = read ours;
  theirs = if stackFile == null then { } else read stackFile;
  schema = builtins.toJSON (theirs.schema or own.schema);
  file =
    if schema == "1" then
      (mergeOf "services.ragbed.accept").merged (merged own theirs) {
        services = builtins.mapAttrs (_: accept: { inherit accept; }) accept;
      }
    else
      throw "${shown}: schema is ${schema}, and this ragbed reads schema 1";

  wrongChannel =
    name: channel: value:
    let
      at = [
        "services"
        name
        "channels"
        channel
      ];
      wanted =
        channels.${channel}
          or (refuse at "found an unknown key, expected one of ${builtins.concatStringsSep ", " (attrNames channels)}");
      lacking = builtins.filter (key: !(value ? ${key})) wanted;
      unknown = builtins.filter (key: !(builtins.elem key wanted)) (attrNames value);
    in
    if lacking != [ ] then
      refuse (at ++ [ (builtins.head lacking) ]) "found nothing, expected a value"
    else if unknown != [ ] then
      refuse (at ++ [ (builtins.head unknown) ]) "found an unknown key, expected none of that name"
    else
      value;

  rangeOf =
    name: product: range:
    if (import ./versions.nix).isRange range then
      range
    else
      refuse [
        "services"
        name
        "accept"
        product
      ] "found ${builtins.toJSON range}, expected a range of versions such as >=8,<10";

  service =
    name: pinned:
    let
      checked = builtins.mapAttrs (wrongChannel name) pinned.channels;
    in
    builtins.deepSeq checked {
      inherit (pinned) port;
      accept = builtins.mapAttrs (rangeOf name) pinned.accept;
      # whole seconds, for readiness probes that are asked once a second
      readyTimeout = builtins.ceil pinned.ready_timeout_s;
      inherit (checked.nix) attribute version;
    };
in
rec {
  services = builtins.mapAttrs service file.services;

  inherit (file) app;

  # The project's part with `accept` in it, in the form of its file: what ragbed's own commands are told.
  overlay = theirs // {
    services =
      (theirs.services or { })
      // builtins.mapAttrs (
        name: ranges:
        (theirs.services.${name} or { })
        // {
          accept = (theirs.services.${name}.accept or { }) // ranges;
        }
      ) accept;
  };

  # The interpreter: attribute and version.
  python = file.python.nix;

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
