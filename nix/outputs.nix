# What the flake offers. `lib` and `devenvModules` use no input: they are there without fetching anything.
inputs@{
  self,
  nixpkgs,
  devenv,
  ...
}:
let
  systems = [
    "x86_64-linux"
    "aarch64-linux"
    "aarch64-darwin"
  ];
  forEachSystem =
    make:
    builtins.listToAttrs (
      map (system: {
        name = system;
        value = make system;
      }) systems
    );

  ragbed = import ./lib { };
  pkgsFor = system: nixpkgs.legacyPackages.${system};
in
{
  lib = ragbed // {
    # The shell of a project that uses the modules; `nix flake init -t` writes an example.
    mkShell = import ./shell.nix;
  };

  templates.default = {
    path = ./template;
    description = "A project with the services, pins and models of ragbed, and its own over them";
    welcomeText = ''
      Name ragbed's address in flake.nix, then: git add . && nix develop, and devenv up.
      README.md says what is where.'';
  };

  devenvModules = {
    qdrant = ./modules/qdrant.nix;
    ollama = ./modules/ollama.nix;
    ragbed = ./modules/ragbed.nix;
    default = ./modules/ragbed.nix;
  };

  packages = forEachSystem (
    system:
    import ./packages.nix {
      inherit ragbed;
      pkgs = pkgsFor system;
      source = builtins.getEnv "RAGBED_BLOBS";
    }
  );

  apps = forEachSystem (
    system:
    import ./apps.nix {
      pkgs = pkgsFor system;
      packages = self.packages.${system};
    }
  );

  devShells = forEachSystem (
    system:
    import ./shells.nix {
      inherit ragbed inputs self;
      pkgs = pkgsFor system;
      inherit (devenv.lib) mkShell;
    }
  );

  checks = forEachSystem (
    system:
    import ./checks.nix {
      inherit ragbed inputs;
      inherit (devenv.lib) mkConfig;
      pkgs = pkgsFor system;
    }
  );

  formatter = forEachSystem (system: (pkgsFor system).nixfmt-tree);
}
