# The model store with nothing but Nix's own builders, in the place of nixpkgs' `fetchurl` and `linkFarm`.
{
  lockFile,
  source ? "",
}:
let
  ragbed = import ../../../nix/lib { inherit lockFile; };
  stores = import ../../../nix/models {
    inherit source;
    fetchurl = import <nix/fetchurl.nix>;
    linkFarm =
      name: entries:
      derivation {
        inherit name;
        system = builtins.currentSystem;
        builder = "/bin/sh";
        PATH = builtins.getEnv "PATH"; # on NixOS there is nothing but sh in /bin
        args = [
          "-euc"
          (builtins.concatStringsSep "\n" (
            map (entry: ''
              mkdir -p "$out/$(dirname '${entry.name}')"
              ln -s ${entry.path} "$out/${entry.name}"
            '') entries
            ++ [ ":" ] # the shell itself ends last: Nix kills a builder that closes its output before it ends
          ))
        ];
      };
  };
in
stores.store {
  inherit (ragbed) manifest;
  models = map ragbed.models.get (
    builtins.attrNames (builtins.fromJSON (builtins.readFile lockFile)).models
  );
}
