# A project's modules evaluated without any input: a small module system, the options of devenv that modules may set,
# and packages that are never built. For machines that have Nix and no nixpkgs.
#
# `shown` is one value with everything that tests look at.
{
  modules,
  root ? "/project",
  system ? "x86_64-linux",
  versions ? { },
  packages ? (_: { }),
}:
let
  lib = import ./lib.nix;
  own = import ./packages.nix { inherit lib system versions; };
  pkgs = own // packages own;
  evaluated = lib.evalModules {
    modules = [
      ./devenv.nix
      { devenv.root = root; }
    ]
    ++ modules;
    specialArgs = {
      inherit pkgs;
      inputs.self = root;
    };
  };
  inherit (evaluated) config;
in
{
  inherit config;
  inherit (evaluated) options;
  shown = import ./shown.nix {
    inherit lib config;
    inherit (evaluated) options;
  };
}
