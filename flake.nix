{
  description = "A reproducible test bed for RAG systems: real services, pinned models, live smoke tests";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";
    devenv.url = "github:cachix/devenv/v2.2.2";
    devenv.inputs.nixpkgs.follows = "nixpkgs";
  };

  # Nix asks about it; docs/nix.md says what a yes means. The cache has devenv's own programs, which would else be
  # compiled here.
  nixConfig = {
    extra-substituters = "https://devenv.cachix.org";
    extra-trusted-public-keys = "devenv.cachix.org-1:w1cLUi8dv3hnoSPGAuibQv+f9TZLr6cv/Hm9XgU50cw=";
  };

  outputs = inputs: import ./nix/outputs.nix inputs;
}
