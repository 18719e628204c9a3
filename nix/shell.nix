# A devenv shell that plain `nix develop` enters, for this repository and for projects that use its modules.
#
# devenv wants to know the folder it works in, which pure evaluation hides. Where evaluation is pure (plain `nix
# develop`, `nix flake check`), the shell that Nix enters takes the real one over: the same flake, evaluated once more
# and told where it is. `pure-eval = false` in the flake's own configuration would not do: a newer Nix then tells the
# folder and goes on refusing to look into it.
{
  inputs,
  pkgs,
  mkShell ? inputs.devenv.lib.mkShell,
  modules,
  # The files that only the project's root has.
  marks ? [
    "flake.nix"
    "devenv.nix"
  ],
  name ? "the project",
  # What to do without a checkout.
  without ? "",
}:
let
  here = builtins.getEnv "PWD";

  isRoot = folder: builtins.all (mark: builtins.pathExists (folder + "/${mark}")) marks;
  # The root where the shell is entered somewhere below it; none where it is entered elsewhere.
  rootAbove =
    folder:
    if isRoot folder then
      folder
    else if folder == "/" then
      throw (toString elsewhere)
    else
      rootAbove (dirOf folder);

  elsewhere = [
    "${name}: this shell keeps its services' files in a checkout of ${name}, and this folder is in none."
    "Try: clone it, go into it, and type nix develop there.${
      if without == "" then "" else " ${without}"
    }"
  ];

  entry = pkgs.mkShellNoCC {
    name = "ragbed-entry";
    shellHook = ''
      ragbed_root=$PWD
      until ${
        builtins.concatStringsSep " && " (map (mark: "[ -e \"$ragbed_root/${mark}\" ]") marks)
      } || [ "$ragbed_root" = / ]; do
        ragbed_root=$(dirname "$ragbed_root")
      done
      if [ "$ragbed_root" = / ]; then
        printf '%s\n' ${pkgs.lib.escapeShellArgs elsewhere} >&2
        exit 1
      fi
      # with the folder for temporary files that the user has: this entry's own would make another shell of each
      if ragbed_shell=$(TMPDIR=''${NIX_BUILD_TOP%/*} nix --extra-experimental-features 'nix-command flakes' \
        print-dev-env --no-pure-eval "path:${inputs.self}#default"); then
        eval "$ragbed_shell"
        unset ragbed_shell ragbed_root
      else
        echo "${name}: the shell cannot be evaluated; above is why. Try: nix develop --no-pure-eval" >&2
        exit 1
      fi
    '';
  };
in
if here == "" then
  entry
else
  mkShell {
    inherit inputs pkgs;
    modules = modules ++ [ { devenv.root = rootAbove here; } ];
  }
