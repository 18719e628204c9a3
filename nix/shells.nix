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

  # devenv wants to know the folder it works in, which pure evaluation hides.
  here = builtins.getEnv "PWD";

  # The project's root where the shell is entered somewhere below it.
  isRoot =
    folder:
    builtins.pathExists (folder + "/stack.toml") && builtins.pathExists (folder + "/devenv.nix");
  rootAbove =
    folder:
    if isRoot folder then
      folder
    else if folder == "/" then
      here
    else
      rootAbove (dirOf folder);

  devenvShell = mkShell {
    inherit inputs pkgs;
    modules = [
      ../devenv.nix
      { devenv.root = rootAbove here; }
    ];
  };

  # Where evaluation is pure (plain `nix develop`, `nix flake check`), the shell that Nix enters takes the real one
  # over: the same flake, evaluated once more and told where it is. `pure-eval = false` in the flake's own
  # configuration would not do: a newer Nix then tells the folder and goes on refusing to look into it.
  entry = pkgs.mkShellNoCC {
    name = "ragbed-entry";
    shellHook = ''
      # with the folder for temporary files that the user has: this entry's own would make another shell of each
      if ragbed_shell=$(TMPDIR=''${NIX_BUILD_TOP%/*} nix --extra-experimental-features 'nix-command flakes' \
        print-dev-env --no-pure-eval "path:${self}#default"); then
        eval "$ragbed_shell"
        unset ragbed_shell
      else
        echo "ragbed: the shell cannot be evaluated; above is why. Try: nix develop --no-pure-eval" >&2
        exit 1
      fi
    '';
  };
in
{
  default = if here == "" then entry else devenvShell;

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
