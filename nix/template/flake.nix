{
  description = "An application with its Postgres, Redis, Qdrant and Ollama";

  inputs = {
    ragbed.url = "github:your-organisation/ragbed";
    nixpkgs.follows = "ragbed/nixpkgs";
    devenv.follows = "ragbed/devenv";
  };

  outputs =
    inputs@{ nixpkgs, ragbed, ... }:
    {
      devShells =
        nixpkgs.lib.genAttrs
          [
            "x86_64-linux"
            "aarch64-linux"
            "aarch64-darwin"
          ]
          (system: {
            default = ragbed.lib.mkShell {
              inherit inputs;
              pkgs = nixpkgs.legacyPackages.${system};
              modules = [
                ragbed.devenvModules.default
                ./devenv.nix
              ];
            };
          });
    };
}
