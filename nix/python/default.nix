# Python on the Nix side: the pinned interpreter, the locked wheels, and ragbed as a package.
{
  pkgs,
  pins ? import ../lib { },
  # In another project's nixpkgs any release of the pinned version's series will do: the wheels are for all of them.
  anyPatch ? false,
}:
let
  pin = pins.python;
  found = pkgs.${pin.attribute};
  series = one: pkgs.lib.versions.majorMinor one.version;

  interpreter =
    if found.version == pin.version || anyPatch && series found == series pin then
      found
    else
      throw ''
        this nixpkgs has ${pin.attribute} ${found.version}, and stack.toml pins ${pin.version} (python.nix)
        try: scripts/update-pins, which changes flake.lock, devenv.lock and stack.toml together'';
in
rec {
  inherit interpreter;

  # What wheels expect of every Linux (PEP 600), and nixpkgs' interpreter finds nowhere by itself.
  libraries = pkgs.lib.optionalString pkgs.stdenv.hostPlatform.isLinux (
    pkgs.lib.makeLibraryPath [
      pkgs.stdenv.cc.cc.lib
      pkgs.zlib
    ]
  );

  # The name of an environment on this interpreter. Another store path has other libraries: it gets one of its own.
  environment =
    let
      path = builtins.unsafeDiscardStringContext "${interpreter}";
    in
    "venv-${interpreter.version}-${builtins.substring 0 8 (builtins.hashString "sha256" path)}";

  requirements = import ./requirements.nix { };

  wheels = pkgs.callPackage ./wheels.nix { inherit interpreter requirements; };

  # `programs` are put before PATH: the pinned servers, where the command is to start those.
  ragbed =
    {
      programs ? [ ],
    }:
    pkgs.callPackage ./package.nix {
      inherit
        interpreter
        libraries
        wheels
        programs
        ;
    };
}
