{
  description = "A stand-in for nixpkgs: its real lib, and packages that are links to this machine's programs";

  outputs =
    { self }:
    let
      lib = import ./lib;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ] (system: import self { inherit system; });
    };
}
