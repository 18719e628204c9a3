# The package set. `lib/` beside this file is nixpkgs' own, put there by the tests; `host.json` says where this machine
# keeps its programs, and which versions the pins name.
{
  system ? builtins.currentSystem,
  overlays ? [ ],
  config ? { },
  ...
}:
let
  lib = import ./lib;
  host = builtins.fromJSON (builtins.readFile ./host.json);

  packages =
    final:
    lib.mergeAttrsList (
      map
        (
          file:
          import file {
            inherit
              lib
              system
              host
              final
              ;
          }
        )
        [
          ./derivations.nix
          ./builders.nix
          ./formats.nix
          ./programs.nix
        ]
    )
    // {
      inherit lib system;
      path = ./.;
      config = {
        allowUnfree = true;
      }
      // config;
    };

  made =
    chosen:
    lib.fix (
      lib.extends (lib.composeManyExtensions chosen) (
        final:
        packages final
        // {
          overlays = chosen;
          appendOverlays = more: made (chosen ++ more);
          extend = more: made (chosen ++ [ more ]);
        }
      )
    );
in
made overlays
