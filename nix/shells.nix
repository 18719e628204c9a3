# The shells: `default` is devenv's, with services and processes; `ci` has the tools and the services' programs only.
{
  pkgs,
  ragbed,
  inputs,
  self,
  mkShell,
}:
let
  python = import ./python { inherit pkgs; };
in
{
  default = import ./shell.nix {
    inherit pkgs mkShell;
    inputs = inputs // {
      inherit self;
    };
    name = "ragbed";
    modules = [ ../devenv.nix ];
    marks = [
      "stack.toml"
      "devenv.nix"
      "nix/modules/ragbed.nix"
    ];
    without = "Without a checkout: nix run FLAKE#smoke, FLAKE as you have just named it; for a project of your own: nix flake init -t FLAKE.";
  };

  ci = pkgs.mkShellNoCC {
    name = "ragbed-ci";
    # For the wheels of an environment that no other Python of this checkout uses.
    LD_LIBRARY_PATH = python.libraries;
    shellHook = ''
      export RAGBED_VENV=$(git rev-parse --show-toplevel 2>/dev/null || pwd)/.ragbed/${python.environment}
    '';
    packages = builtins.attrValues (import ./services.nix { inherit pkgs ragbed; }) ++ [
      python.interpreter
      pkgs.uv
      pkgs.shellcheck
      pkgs.actionlint
      pkgs.nixfmt
      pkgs.git
    ];
  };
}
