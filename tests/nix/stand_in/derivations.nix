# `stdenv.mkDerivation` and shells, as small as they can be while Nix still enters what they make.
{
  lib,
  system,
  host,
  final,
}:
let
  platform = lib.systems.elaborate system;

  # What nixpkgs' stdenv puts on a builder's PATH, and nothing else of this machine.
  tools = derivation {
    inherit system;
    name = "stand-in-tools";
    builder = host.bash;
    PATH = host.path;
    args = [
      "-euc"
      ''
        mkdir -p "$out/bin"
        for tool in ${toString host.stdenv}; do
          found=$(type -P "$tool") && ln -s "$found" "$out/bin/$tool"
        done
      ''
    ];
  };

  # The file that builders and `nix develop` source.
  base = derivation {
    inherit system;
    name = "stand-in-stdenv";
    builder = host.bash;
    PATH = host.path;
    args = [
      "-euc"
      # ends with the shell itself: Nix kills a builder that closes its output before it ends, as `cp` does
      ''mkdir -p "$out"; cp ${./setup.sh} "$out/setup"; :''
    ];
  };

  notForBuilders = [
    "hardeningDisable"
    "inputsFrom"
    "meta"
    "packages"
    "passthru"
    "stdenv"
  ];

  mkDerivation =
    given:
    let
      arguments = if lib.isFunction given then lib.fix given else given;
      version = arguments.version or "0";
      name = lib.strings.sanitizeDerivationName (arguments.name or "${arguments.pname}-${version}");
      passed = lib.filterAttrs (_: value: value != null && !lib.isFunction value) (
        removeAttrs arguments notForBuilders
      );
      built = derivation (
        passed
        // {
          inherit name system;
          outputs = [ "out" ]; # `nix develop` writes what it learns to these
          stdenv = base;
          initialPath = "${tools}/bin";
          builder = host.bash;
          args = [
            "-e"
            ./build.sh
          ];
        }
      );
    in
    dressed built (
      {
        inherit name version;
        pname = arguments.pname or name;
        meta = arguments.meta or { };
        overrideAttrs =
          change: mkDerivation (arguments // (if lib.isFunction change then change arguments else change));
      }
      // (arguments.passthru or { })
    );

  # A derivation with what packages have beside: its outputs are the same thing.
  dressed =
    built: more:
    let
      whole =
        built
        // more
        // {
          out = whole;
          bin = whole;
          lib = whole;
          override = _: whole;
        };
    in
    whole;

  stdenv = {
    inherit mkDerivation system;
    type = "derivation";
    name = "stand-in-stdenv";
    outputName = "out";
    meta = { };
    inherit (base) outPath drvPath;
    shell = host.bash;
    cc = final.gcc // {
      cc = final.gcc;
    };
    isLinux = platform.isLinux;
    isDarwin = platform.isDarwin;
    hostPlatform = platform;
    buildPlatform = platform;
    targetPlatform = platform;
    override = _: stdenv;
  };

  shell =
    arguments:
    mkDerivation (
      arguments
      // {
        name = arguments.name or "nix-shell";
        nativeBuildInputs = (arguments.nativeBuildInputs or [ ]) ++ (arguments.packages or [ ]);
        buildInputs = arguments.buildInputs or [ ];
        shellHook = arguments.shellHook or "";
        buildCommand = "export >$out";
      }
    );
in
{
  inherit stdenv dressed;
  stdenvNoCC = stdenv;
  hostPlatform = platform;
  targetPlatform = platform;
  mkShell = {
    __functor = _: shell;
    override = _: shell;
  };
  mkShellNoCC = shell;
}
